import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./paths";
import { UsageFailure } from "./usageFailure";

/**
 * Refuses a stack that has no file.
 *
 * @param folder where its file would be; default: the checkout
 * @throws UsageFailure naming the stacks that have one
 */
export function noStackFile(stack: string, folder = checkout): never {
  const known = readdirSync(folder).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  throw new UsageFailure(
    `there is no Pulumi.${stack}.yaml in ${folder === checkout ? "this checkout" : folder}`,
    known.length === 0 ? "run the command in the stack's checkout" : `name one of: ${known.join(", ")}`,
  );
}

/** @throws UsageFailure as {@link noStackFile} when a stack has no file */
export function requireStackFile(stack: string, folder = checkout): void {
  if (!existsSync(join(folder, `Pulumi.${stack}.yaml`))) noStackFile(stack, folder);
}
