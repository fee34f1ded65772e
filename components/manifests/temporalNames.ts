import type { Settings, WorkerSettings } from "../../settings/settings";
import { type Identity, type Labels } from "./labels";

/** User of the Temporal images. */
export const TEMPORAL_UID = 1000;
/** Name of the chart's release, from which the chart makes all others. */
export const RELEASE = "temporal";
/** ServiceAccount of the server's pods and jobs. */
export const SERVER_ACCOUNT = "temporal-server";
/** Port of the frontend's gRPC endpoint, in pods and Services. */
export const FRONTEND_PORT = 7233;
/** Port of the frontend's HTTP API, and those of the roles behind it: the official chart's. */
export const FRONTEND_HTTP_PORT = 7243;
export const HISTORY_PORT = 7234;
export const MATCHING_PORT = 7235;
/** Ports on which frontend, history, matching and worker form their ring. */
export const MEMBERSHIP_PORTS = [6933, 6934, 6935, 6939];
/** Port of every role's Prometheus metrics. */
export const SERVER_METRICS_PORT = 9090;
/** Port of the UI in the dev server's pod. */
export const DEV_SERVER_UI_PORT = 8233;
/** Port of the UI's Service; the official chart's web Service has the same. */
export const UI_SERVICE_PORT = 8080;
/** Names of the Services; the official chart's release `temporal` gives the same. */
export const FRONTEND_SERVICE = "temporal-frontend";
export const UI_SERVICE = "temporal-web";

/** The frontend's pods; the official chart's release `temporal` labels them alike. */
export const FRONTEND: Identity = { name: "temporal", instance: "temporal", component: "frontend" };

/** Labels that every pod of the release `temporal` has. */
export const CHART_SERVER: Labels = {
  "app.kubernetes.io/name": "temporal",
  "app.kubernetes.io/instance": "temporal",
};

/** The Temporal namespace in which a worker group has its tasks. */
export function temporalNamespaceOf(
  { temporal }: Pick<Settings, "temporal">,
  { namespace }: Pick<WorkerSettings, "namespace">,
): string {
  return namespace ?? temporal.namespace;
}

/** Every Temporal namespace in which somebody works, that of the settings first. */
export function workedNamespaces(settings: Pick<Settings, "temporal" | "workers">): string[] {
  return [
    ...new Set([
      settings.temporal.namespace,
      ...settings.workers.map((worker) => temporalNamespaceOf(settings, worker)),
    ]),
  ];
}

/** Address, host and port, at which workers find the frontend. */
export function frontendAddress({ temporal, namespaces }: Pick<Settings, "temporal" | "namespaces">): string {
  return temporal.mode === "external"
    ? temporal.address
    : `${FRONTEND_SERVICE}.${namespaces.temporal}.svc:${String(FRONTEND_PORT)}`;
}
