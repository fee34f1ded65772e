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
 * The stacks that a change may touch: all of them if it is one of the program, else those whose file it is, and those
 * that a changed file of a worker group names.
 *
 * @param changed paths from the root of the checkout
 * @param stacks all stacks that there are
 * @param named the stacks that the file of a worker group names, before the change or after it; undefined: not known
 */
export function affectedStacks(
  changed: readonly string[],
  stacks: readonly string[],
  named: Readonly<Record<string, readonly string[] | undefined>> = {},
): string[] {
  const program = changed.some((file) => isProgram(file) && named[file] === undefined);
  const files = stacks.map((stack) => `Pulumi.${stack}.yaml`);
  return stacks.filter(
    (stack, index) =>
      program || changed.some((file) => file === files[index] || named[file]?.includes(stack) === true),
  );
}
