import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Settings } from "../../settings/settings";
import type { OwnOutputs } from "./ownOutputs";

/** An image that a rollback left behind, and that nobody may bring back by accident. */
export const quarantined = z.object({
  digest: z.string(),
  /** Hash of the sources it was built from: built again, they may give another digest. */
  sources: z.string().nullable(),
  /** When, as an ISO 8601 text; with the digest it names this very quarantine. */
  since: z.string(),
  reason: z.string(),
});
/** An image in quarantine. */
export type Quarantined = z.output<typeof quarantined>;

/** The form of the output `quarantine`. */
export const quarantineOutput = z.array(quarantined);

/** What is to be deployed, as far as it is known: a digest, or the sources of a build. */
export interface Candidate {
  readonly digest?: string | undefined;
  readonly sources?: string | undefined;
  /** Folder that it is built from. */
  readonly build?: string | undefined;
}

type QuarantineSettings = Settings["quarantine"];

const sameQuarantine = (a: Pick<Quarantined, "digest" | "since">, b: Pick<Quarantined, "digest" | "since">) =>
  a.digest === b.digest && a.since === b.since;

/** What is in quarantine after the settings had their say: they add, and what they release is gone. */
export function quarantineAfter(
  previous: readonly Quarantined[],
  { add, release }: QuarantineSettings,
): Quarantined[] {
  const added = add
    .filter((entry) => !previous.some((known) => sameQuarantine(known, entry)))
    .map(({ digest, sources, since, reason }) => ({ digest, sources: sources ?? null, since, reason }));
  return [...previous, ...added].filter(
    (entry) => !release.some((released) => sameQuarantine(released, entry)),
  );
}

/** Why an image must not be deployed; undefined if nothing speaks against it. */
export function quarantineProblem(
  entries: readonly Quarantined[],
  { digest, sources, build = "worker" }: Candidate,
  stack: string,
): string | undefined {
  const found = entries.find(
    (entry) => entry.digest === digest || (sources !== undefined && entry.sources === sources),
  );
  if (found === undefined) return undefined;
  const what = found.digest === digest ? `the worker image ${digest}` : `what ${build}/ is built into`;
  return `${what} is in quarantine since ${found.since}: ${found.reason}. Deploy another one, or release it with a reason: npm run quarantine -- -s ${stack} --release ${found.digest} --reason "…"`;
}

/**
 * The quarantine that this update leaves, refusing first what is in it.
 * @param candidates what the settings ask for, as far as it is known before a build
 * @throws pulumi.RunError naming every candidate that is in quarantine, or the stack's record of it cannot be read
 */
export async function refuseQuarantined(
  settings: Pick<Settings, "quarantine" | "stack">,
  candidates: readonly Candidate[],
  own: OwnOutputs,
): Promise<Quarantined[]> {
  const previous = quarantineOutput.optional().safeParse((await own("quarantine")) ?? undefined);
  if (!previous.success) {
    throw new pulumi.RunError(
      `the output "quarantine" of stack "${settings.stack}" has a form that this program does not know: deploy with the commit that wrote it, or a later one\nNothing was changed.`,
    );
  }
  const entries = quarantineAfter(previous.data ?? [], settings.quarantine);
  const problems = candidates
    .map((candidate) => quarantineProblem(entries, candidate, settings.stack))
    .filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new pulumi.RunError([...new Set(problems), "Nothing was changed."].join("\n"));
  }
  return entries;
}
