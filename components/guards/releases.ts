import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ProgramRevision } from "../manifests/sourceRevision";
import type { Settings } from "../../settings/settings";
import { WORKER_IMAGE } from "../../settings/stackImages";
import type { OwnOutputs } from "./ownOutputs";
import { deployedRecord, recordOf } from "./record";

/** Releases that a stack remembers. */
const REMEMBERED = 50;

const releasedImage = z.object({
  /** `repository@sha256:…` */
  image: z.string(),
  /** Hash of the sources that the image was built from; null if nobody knows. */
  sources: z.string().nullable(),
});
/** An image of a release. */
export type ReleasedImage = z.output<typeof releasedImage>;

/** What an update deployed, as far as Pulumi's own history does not say it. */
export const release = z.object({
  /** When the update ran, as an ISO 8601 text: it lies between the start and the end of its history entry. */
  time: z.string(),
  /** Commit of the program; null where Git cannot tell. */
  commit: z.string().nullable(),
  /** Whether the program differed from its commit. Stack files do not count: the history holds the settings. */
  dirty: z.boolean(),
  /** The image of `workerImage`; releases of older programs have no other. */
  ...releasedImage.shape,
  /** The images of `images`, by name. */
  images: z.record(z.string(), releasedImage).default({}),
  /** Ids of the payload keys that workers can read with. */
  payloadKeys: z.array(z.string()),
  /** What guards compare changes with. */
  deployed: deployedRecord,
});
/** A release of a stack. */
export type Release = z.output<typeof release>;

/** Every image of a release by name. */
export function releasedImages({ image, sources, images }: Release): Readonly<Record<string, ReleasedImage>> {
  return { [WORKER_IMAGE]: { image, sources }, ...images };
}

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
  readonly images: readonly DeployedImage[];
  readonly revision: ProgramRevision;
}

/** An image that an update deploys. */
export interface DeployedImage {
  readonly name: string;
  readonly reference: pulumi.Output<string>;
  /** Hash of the sources of a build. */
  readonly sources: string | undefined;
}

/**
 * The releases that this update leaves, for `npm run rollback`. They are marked secret, though nothing in them
 * is: the CLI prints every other output in full after each update.
 */
export function recordRelease(
  settings: Settings,
  { images, revision }: ReleaseArgs,
  own: OwnOutputs,
): pulumi.Output<Release[]> {
  const { enabled, keys } = settings.payloadEncryption;
  const references = pulumi.all(images.map(({ reference }) => reference));
  const releases = references.apply(async (deployed) => {
    // Releases of another form are of no use to this program's rollback.
    const known = releasesOutput.safeParse(await own("releases"));
    const previous = known.success ? known.data : [];
    const recorded = previous.toReversed().flatMap((entry) => Object.values(releasedImages(entry)));
    const released = images.map(({ name, sources }, index) => {
      const image = deployed[index] ?? "";
      const built = recorded.find((entry) => entry.image === image && entry.sources !== null)?.sources;
      return [name, { image, sources: sources ?? built ?? null }] as const;
    });
    const { [WORKER_IMAGE]: sample, ...others } = Object.fromEntries(released);
    if (sample === undefined) throw new Error(`a stack has an image "${WORKER_IMAGE}"`);
    return withRelease(previous, {
      time: new Date().toISOString(),
      ...revision,
      ...sample,
      images: others,
      payloadKeys: enabled ? keys.map(({ id }) => id) : [],
      deployed: recordOf(settings),
    });
  });
  return pulumi.secret(releases);
}
