import type { Settings } from "../../settings/settings";
import { WEBHOOK_GATE_RULES } from "./postgresOperatorManifests";

/** Rights of RBAC. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A ServiceAccount of the stack: who runs as it, and what it may ask of the API server. */
export interface Account {
  /** Logical name of its resource. */
  readonly name: string;
  readonly namespace: string;
  readonly of: string;
  /** Rights in its namespace; without any, its pods get no token either. */
  readonly rules: readonly Rule[];
}

/** Every ServiceAccount that the stack makes; tests compare the table with what is deployed. */
export function stackAccounts({
  temporal,
  postgres,
  namespaces,
  workers,
  payloadEncryption,
}: Pick<Settings, "temporal" | "postgres" | "namespaces" | "workers" | "payloadEncryption">): Account[] {
  const server = (name: string, of: string) => ({ name, namespace: namespaces.temporal, of, rules: [] });
  return [
    ...(temporal.mode === "devServer" ? [server("temporal-account", "dev server")] : []),
    ...(temporal.mode === "chart"
      ? [
          server("temporal-account", "all pods and jobs of the Temporal chart"),
          server("temporal-namespaces-account", "job and schedule of the Temporal namespaces"),
        ]
      : []),
    ...(postgres?.mode === "managed" ? [server("postgres-preflight-account", "preflight of Postgres")] : []),
    ...(postgres?.mode === "cluster" && postgres.operator.install
      ? [
          {
            name: "postgres-operator-gate-account",
            namespace: postgres.operator.namespace,
            of: "job that waits for the operator's webhook",
            rules: WEBHOOK_GATE_RULES,
          },
        ]
      : []),
    ...workers
      .filter(({ serviceAccount }) => serviceAccount.existing === undefined)
      .map(({ name }) => ({
        name: `worker-${name}-service-account`,
        namespace: namespaces.workers,
        of: `workers of group ${name}`,
        rules: [],
      })),
    ...(payloadEncryption.codecServer === undefined
      ? []
      : [
          {
            name: "codec-server-service-account",
            namespace: namespaces.workers,
            of: "codec server",
            rules: [],
          },
        ]),
  ];
}
