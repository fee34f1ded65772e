import { Failure } from "../../common/failure";
import type { Settings } from "../../settings/settings";
import { imagePath, imageOfGroup, WORKER_IMAGE } from "../../settings/stackImages";
import type { SettingChange } from "../stack/stackFileEdit";
import type { Promoted } from "./promotion";

/** What one worker group is to run. */
export interface GroupImage {
  readonly group: string;
  /** Digest in the repository of the group's image. */
  readonly digest: string;
}

/**
 * What has to change so that one worker group runs another digest of its image, and no other group with it: where they
 * share an image, the group gets an entry of its own in `images`.
 *
 * @throws Failure when there is no such group, or the name of its entry is taken
 */
export function groupPromotion(
  { group, digest }: GroupImage,
  settings: Pick<Settings, "stack" | "workers" | "workerImage" | "images">,
): Omit<Promoted, "promotions"> & { readonly promotions: readonly SettingChange[] } {
  const { stack, workers } = settings;
  const index = workers.findIndex(({ name }) => name === group);
  const image = imageOfGroup(settings, group);
  if (image === undefined) {
    throw new Failure(
      `stack ${stack} has no worker group "${group}"`,
      `name one of ${workers.map(({ name }) => name).join(", ")}`,
    );
  }
  if (image.digest === digest) return { promotions: [], notes: [] };
  const others = workers.filter(({ name, image: own }) => name !== group && own === image.name);
  if (others.length === 0) {
    return { promotions: [{ path: [...imagePath(image.name), "digest"], new: digest }], notes: [] };
  }
  if (group in settings.images) {
    throw new Failure(
      `image "${image.name}" of group ${group} is run by ${others.map(({ name }) => name).join(", ")}, too, and images.${group} is another one`,
      `give group ${group} an image of its own in the settings of stack ${stack}, and run the command again`,
    );
  }
  return {
    promotions: [
      { path: ["images", group, "repository"], new: image.repository },
      { path: ["images", group, "digest"], new: digest },
      { path: ["workers", String(index), "image"], new: group },
    ],
    notes: [
      `group ${group} gets an image of its own; with "${image.name}" stay ${others.map(({ name }) => name).join(", ")}`,
      ...(image.name === WORKER_IMAGE
        ? [
            `the heap options and the smoke workflow of the sample are for image "${WORKER_IMAGE}" alone: set env.NODE_OPTIONS and smoke.workflow of group ${group} if it needs them`,
          ]
        : []),
    ],
  };
}
