/** Files and folders that the program of every stack is made of, from the root of the checkout. */
export const PROGRAM_PATHS: readonly string[] = [
  "index.ts",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "common/",
  "components/",
  "policy/",
  "settings/",
  "worker/",
];

/** The stack that lives on one machine only: no pipeline deploys it. */
const LOCAL = "local";

/** The stacks that have a file, without the local one, in the order of their names. */
export const stacksAmong = (files: readonly string[]): string[] =>
  files
    .flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .filter((stack) => stack !== LOCAL)
    .sort();

/**
 * The stacks that a change may touch: all of them if it is one of the program, else those whose file it is.
 *
 * @param changed paths from the root of the checkout
 * @param stacks all stacks that there are
 */
export function affectedStacks(changed: readonly string[], stacks: readonly string[]): string[] {
  const program = changed.some(isProgram);
  return stacks.filter((stack) => program || changed.includes(`Pulumi.${stack}.yaml`));
}

const isProgram = (file: string): boolean =>
  !file.endsWith(".md") &&
  PROGRAM_PATHS.some((path) => (path.endsWith("/") ? file.startsWith(path) : file === path));
