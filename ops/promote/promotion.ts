import type { Settings } from "../../settings/settings";
import { splitImage } from "../../settings/imageVersion";
import type { SettingChange } from "../stack/stackFileEdit";
import type { RunningImage, RunningVersions } from "./running";

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
  const { workerImage, temporal, postgres } = target;
  const notes: string[] = [];
  const promotions: Promotion[] = [];
  const set = (path: Promotion["path"], old: string | undefined, next: string | undefined): void => {
    if (next !== undefined && next !== old) promotions.push({ path, old, new: next });
  };
  const setImage = (path: Promotion["path"], old: string, next: RunningImage | undefined): void => {
    if (next !== undefined) set(path, old, promotedImage(old, next));
  };

  set(["workerImage", "digest"], workerImage.digest, running.worker.digest);
  if (workerImage.repository !== running.worker.repository) {
    notes.push(
      `the image is in ${running.worker.repository}; before the deployment ${workerImage.repository} must have it, ` +
        `under the same digest: docker buildx imagetools create --tag ${workerImage.repository}:promoted ` +
        `${running.worker.repository}@${running.worker.digest}`,
    );
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

/** A digest holds for one repository: elsewhere the same version may have been built otherwise. */
function promotedImage(old: string, { repository, tag }: RunningImage): string {
  const current = splitImage(old);
  if (current.repository === repository) return `${repository}:${tag}`;
  const version = tag.split("@")[0] ?? tag;
  return version === current.tag.split("@")[0] ? old : `${current.repository}:${version}`;
}
