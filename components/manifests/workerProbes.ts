import type { types } from "@pulumi/kubernetes";
import type { WorkerSettings } from "../../settings/settings";

/** Name of the container's port for health endpoints. */
export const HEALTH_PORT_NAME = "http-health";

/** How often each question is asked, and how many bad answers in a row count: a start may take 60 s. */
const TIMES = {
  startup: { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 30 },
  liveness: { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  readiness: { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
} as const;

type Question = keyof typeof TIMES;
type Probes = Pick<types.input.core.v1.Container, "startupProbe" | "livenessProbe" | "readinessProbe">;

/** The probes of a worker's container. */
export function workerProbes(settings: WorkerSettings["probes"]): Probes {
  if (settings.mode === "none") return {};
  const probe = (question: Question) => ({
    ...(settings.mode === "http"
      ? { httpGet: { path: settings[question], port: HEALTH_PORT_NAME } }
      : { exec: { command: settings[question] } }),
    ...TIMES[question],
  });
  return {
    startupProbe: probe("startup"),
    livenessProbe: probe("liveness"),
    readinessProbe: probe("readiness"),
  };
}
