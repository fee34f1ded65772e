import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSeq, Scalar } from "yaml";
import { noStackFile } from "../../common/stackFiles";
import type { Quarantined } from "../../components/guards/quarantineGuard";
import { documentOf } from "../../settings/engineYaml";
import { quarantine as quarantineSchema } from "../../settings/quarantine";
import { Failure } from "../../common/failure";
import { stackFileOf } from "../stack/workspace";
import { sectionKey } from "../stack/stackFileEdit";

/**
 * The images in quarantine that somebody names.
 *
 * @param name digest, or its beginning with at least 12 digits
 * @throws Failure when there is none
 */
export function named(entries: readonly Quarantined[], name: string, stack: string): Quarantined[] {
  const digits = name.replace(/^sha256:/, "");
  const found = /^[0-9a-f]{12,64}$/.test(digits)
    ? entries.filter(({ digest }) => digest.startsWith(`sha256:${digits}`))
    : [];
  if (found.length > 0) return found;
  throw new Failure(
    `no image ${name} is in quarantine on stack ${stack}`,
    `npm run quarantine -- -s ${stack} lists them; give a digest, or 12 or more of its digits`,
  );
}

/**
 * Writes the release of images into a stack file, comments and order kept: a change that can be reviewed, and that
 * the next update obeys.
 *
 * @returns the file's name
 * @throws Failure when the stack has no file, or the reason is no single line
 */
export async function writeRelease(
  checkout: string,
  stack: string,
  entries: readonly Quarantined[],
  reason: string,
): Promise<string> {
  const name = stackFileOf(stack);
  const file = join(checkout, name);
  if (!existsSync(file)) noStackFile(/^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? stack, checkout);
  const release = entries.map(({ digest, since }) => ({ digest, since, reason }));
  if (!quarantineSchema.safeParse({ release }).success) {
    throw new Failure("the reason is not one line of at most 300 characters", "give a shorter one");
  }
  const document = documentOf(await readFile(file, "utf8"), name);
  const path = ["config", sectionKey(document, "quarantine"), "release"];
  if (!isSeq(document.getIn(path))) document.setIn(path, document.createNode([]));
  for (const entry of release) document.addIn(path, document.createNode(quoted(entry)));
  await writeFile(file, document.toString({ lineWidth: 0, flowCollectionPadding: false }));
  return name;
}

/** In quotes: what looks like a time would become one. */
function quoted(entry: Readonly<Record<string, string>>): Record<string, Scalar<string>> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      const scalar = new Scalar(value);
      scalar.type = "QUOTE_DOUBLE";
      return [key, scalar];
    }),
  );
}
