import { SAMPLE_REPLAY } from "../../settings/replay";
import { WORKER_IMAGE } from "../../settings/stackImages";
import type { StackOutputs } from "../../common/stackOutputs";
import { UsageFailure } from "../../common/usageFailure";

type Group = Pick<StackOutputs["workers"][number], "name" | "replay" | "image">;

/** A worker group, and what replays its workflows, or why nothing does. */
export type Choice<G extends Group> =
  | {
      readonly group: G;
      readonly command: readonly string[];
      /** The candidate by digest; undefined: the checkout. */
      readonly image: string | undefined;
    }
  | { readonly group: G; readonly notChecked: string };

/**
 * Decides which candidate replays the workflows of each worker group.
 *
 * @param wanted name of the only group that was asked for
 * @param candidates references by digest, by the name of the image that they are to replace; none: the checkout
 * @throws UsageFailure when there is no such group
 */
export function chooseGroups<G extends Group>(
  all: readonly G[],
  wanted: string | undefined,
  candidates: Readonly<Record<string, string>>,
): Choice<G>[] {
  const names = all.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new UsageFailure(`there is no worker group ${wanted}`, `name one of: ${names.join(", ")}`);
  }
  const given = Object.keys(candidates);
  return all.map((group): Choice<G> => {
    const name = imageOf(group);
    const image = candidates[name];
    // Stacks that were deployed before there was this setting run the sample.
    const command = group.replay ?? SAMPLE_REPLAY;
    const notChecked = (reason: string): Choice<G> => ({ group, notChecked: reason });
    if (wanted !== undefined && group.name !== wanted) return notChecked(`only ${wanted} was asked for`);
    if (command.length === 0) {
      return notChecked(`its image ${name} has no replay command; workers[].replay.command names one`);
    }
    if (image !== undefined) return { group, command, image };
    if (given.length === 0 && name === WORKER_IMAGE) return { group, command, image: undefined };
    return notChecked(`it runs image ${name}, for which there is no candidate; --image ${name}=sha256:…`);
  });
}

/** @throws UsageFailure when a candidate is for an image that no worker group runs */
export function requireDeployed(all: readonly Group[], candidates: Readonly<Record<string, string>>): void {
  const known = new Set(all.map(imageOf));
  const unknown = Object.keys(candidates).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new UsageFailure(
    `no worker group runs image ${unknown.join(", ")}`,
    `name one of: ${[...known].join(", ")}, as --image NAME=sha256:…`,
  );
}

const imageOf = ({ image }: Group): string => image?.name ?? WORKER_IMAGE;
