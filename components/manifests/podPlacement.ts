import type { Placement } from "../../settings/scheduling";
import type { Labels } from "./labels";

/** Label of nodes with the architecture of their processors. */
const ARCHITECTURE = "kubernetes.io/arch";

/** Fields of a pod that say where it runs; both charts have the same. */
export function placementFields({ nodeSelector, tolerations, affinity, priorityClassName }: Placement) {
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  };
}

/**
 * On nodes that can run an image, unless node labels say otherwise.
 * @param platform of the image, such as `linux/amd64`
 */
export function forPlatform(placement: Placement, platform: string): Placement & { nodeSelector: Labels } {
  const architecture = { [ARCHITECTURE]: platform.split("/")[1] ?? platform };
  return { ...placement, nodeSelector: { ...architecture, ...placement.nodeSelector } };
}
