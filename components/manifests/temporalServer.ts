import type { Settings } from "../settings";
import { type Identity } from "./labels";

/** Port of the frontend's gRPC endpoint, in pods and Services. */
export const FRONTEND_PORT = 7233;
/** Port of the UI in the dev server's pod. */
export const DEV_SERVER_UI_PORT = 8233;
/** Port of the UI's Service; the official chart's web Service has the same. */
export const UI_SERVICE_PORT = 8080;
/** Names of the Services; the official chart's release `temporal` gives the same. */
export const FRONTEND_SERVICE = "temporal-frontend";
export const UI_SERVICE = "temporal-web";

/** The frontend's pods; the official chart's release `temporal` labels them alike. */
export const FRONTEND: Identity = { name: "temporal", instance: "temporal", component: "frontend" };

/** Address, host and port, at which workers find the frontend. */
export function frontendAddress({ temporal, namespaces }: Pick<Settings, "temporal" | "namespaces">): string {
  return temporal.mode === "external"
    ? temporal.address
    : `${FRONTEND_SERVICE}.${namespaces.temporal}.svc:${String(FRONTEND_PORT)}`;
}
