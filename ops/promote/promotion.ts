import type { Settings } from "../../settings/settings";
import { splitImage } from "../../settings/imageVersion";
import { imagePath, imagesOf, WORKER_IMAGE } from "../../settings/stackImages";
import type { SettingChange } from "../stack/stackFileEdit";
import type { RunningImage, RunningVersions, WorkerImage } from "./running";

/** A setting of the target that becomes what the other stack runs. */
export interface Promotion extends SettingChange {
  readonly old: string | undefined;
  readonly new: string;
}

/** What a promotion changes, and what who reviews it has to know. */
export interface Promoted {
  readonly promotions: readonly Promotion[];
  readonly notes: readonly string[];
}

/**
 * What has to change in a stack's settings so that it runs what another stack runs. Repositories stay the target's
 * own: an environment may pull from a registry of its own.
 */
export function promotionsOf(running: RunningVersions, target: Settings): Promoted {
  const { temporal, postgres } = target;
  const notes: string[] = [];
  const promotions: Promotion[] = [];
  const set = (path: Promotion["path"], old: string | undefined, next: string | undefined): void => {
    if (next !== undefined && next !== old) promotions.push({ path, old, new: next });
  };
  const setImage = (path: Promotion["path"], old: string, next: RunningImage | undefined): void => {
    if (next !== undefined) set(path, old, promotedImage(old, next));
  };

  const images = imagesOf(target);
  for (const { name, repository, digest } of images) {
    const image = name === WORKER_IMAGE ? running.worker : running.images[name];
    if (image === undefined) continue;
    set([...imagePath(name), "digest"], digest, image.digest);
    if (repository !== image.repository) notes.push(toBeCopied(image, repository));
  }
  for (const name of Object.keys(running.images).filter((own) =>
    images.every((image) => image.name !== own),
  )) {
    notes.push(`nothing was set for image "${name}": the other stack has none of that name`);
  }
  if (temporal.mode === "chart") {
    set(["temporal", "chartVersion"], temporal.chartVersion, running.temporalChart);
    setImage(["temporal", "images", "server"], temporal.images.server, running.server);
    setImage(["temporal", "images", "adminTools"], temporal.images.adminTools, running.adminTools);
    setImage(["temporal", "ui", "image"], temporal.ui.image, running.ui);
  }
  if (postgres?.mode === "cluster") {
    if (postgres.operator.install) {
      set(["postgres", "operator", "chartVersion"], postgres.operator.chartVersion, running.operatorChart);
      setImage(["postgres", "operator", "image"], postgres.operator.image, running.operator);
    }
    setImage(["postgres", "image"], postgres.image, running.postgres);
  }
  return { promotions, notes };
}

const toBeCopied = ({ repository, digest }: WorkerImage, target: string): string =>
  `the image is in ${repository}; before the deployment ${target} must have it, ` +
  `under the same digest: docker buildx imagetools create --tag ${target}:promoted ${repository}@${digest}`;

/** A digest holds for one repository: elsewhere the same version may have been built otherwise. */
function promotedImage(old: string, { repository, tag }: RunningImage): string {
  const current = splitImage(old);
  if (current.repository === repository) return `${repository}:${tag}`;
  const version = tag.split("@")[0] ?? tag;
  return version === current.tag.split("@")[0] ? old : `${current.repository}:${version}`;
}
