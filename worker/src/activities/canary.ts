import type { CanaryActivities } from "./types";

/** The activities of the canary. */
export function canaryActivities(): CanaryActivities {
  return { echo: (text) => Promise.resolve(text) };
}
