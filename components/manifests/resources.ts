import type { ResourceSettings } from "../../settings/settings";

/** Container resources; a CPU limit only where one is set. */
export function containerResources({ requests, limits }: ResourceSettings) {
  return {
    requests: { cpu: requests.cpu, memory: requests.memory },
    limits: { memory: limits.memory, ...(limits.cpu === undefined ? {} : { cpu: limits.cpu }) },
  };
}
