import { isProgram } from "../components/manifests/programPaths";

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
