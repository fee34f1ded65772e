import type { Labels } from "./labels";

/** Spreads pods over nodes and zones as far as there are any; a pod rather shares one than waits. */
export function spread(matchLabels: Labels) {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels },
  }));
}
