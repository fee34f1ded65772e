import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ProgramRevision } from "../manifests/sourceRevision";
import type { Settings } from "../../settings/settings";
import type { OwnOutputs } from "./ownOutputs";
import { deployedRecord, recordOf } from "./record";

/** Releases that a stack remembers. */
const REMEMBERED = 50;

/** What an update deployed, as far as Pulumi's own history does not say it. */
export const release = z.object({
  /** When the update ran, as an ISO 8601 text: it lies between the start and the end of its history entry. */
  time: z.string(),
  /** Commit of the program; null where Git cannot tell. */
  commit: z.string().nullable(),
  /** Whether the program differed from its commit. Stack files do not count: the history holds the settings. */
  dirty: z.boolean(),
  /** Worker image by digest. */
  image: z.string(),
  /** Hash of the sources that the image was built from; null if nobody knows. */
  sources: z.string().nullable(),
  /** Ids of the payload keys that workers can read with. */
  payloadKeys: z.array(z.string()),
  /** What guards compare changes with. */
  deployed: deployedRecord,
});
/** A release of a stack. */
export type Release = z.output<typeof release>;

/** The form of the output `releases`, oldest first. */
export const releasesOutput = z.array(release);

/** The releases after an update: a new one only if something differs, so that nothing changes nothing. */
export function withRelease(previous: readonly Release[], next: Release): Release[] {
  const last = previous.at(-1);
  return last !== undefined && isDeepStrictEqual(comparable(last), comparable(next))
    ? [...previous]
    : [...previous, next].slice(-REMEMBERED);
}

/** A release as the state gives it back: without time, and without what is undefined. */
const comparable = (entry: Release): unknown => JSON.parse(JSON.stringify({ ...entry, time: "" }));

/** What {@link recordRelease} takes beside the settings. */
export interface ReleaseArgs {
  readonly image: pulumi.Output<string>;
  /** Hash of the sources of a build. */
  readonly sources: string | undefined;
  readonly revision: ProgramRevision;
}

/**
 * The releases that this update leaves, for `npm run rollback`. They are marked secret, though nothing in them
 * is: the CLI prints every other output in full after each update.
 */
export function recordRelease(
  settings: Settings,
  { image, sources, revision }: ReleaseArgs,
  own: OwnOutputs,
): pulumi.Output<Release[]> {
  const { enabled, keys } = settings.payloadEncryption;
  const releases = image.apply(async (reference) => {
    // Releases of another form are of no use to this program's rollback.
    const known = releasesOutput.safeParse(await own("releases"));
    const previous = known.success ? known.data : [];
    const built = previous.findLast((entry) => entry.image === reference)?.sources;
    return withRelease(previous, {
      time: new Date().toISOString(),
      ...revision,
      image: reference,
      sources: sources ?? built ?? null,
      payloadKeys: enabled ? [...keys] : [],
      deployed: recordOf(settings),
    });
  });
  return pulumi.secret(releases);
}
