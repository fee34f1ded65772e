import { join } from "node:path";
import { parseSettings, type Settings } from "../settings/settings";
import type { Mapping } from "../settings/mapping";
import { sourceOfStackFile } from "../settings/stackFile";

/** A way to run the stack, by the real stack file and what differs from it. */
export interface Sample {
  readonly title: string;
  readonly settings: Settings;
}

/** One sample for each mode of Temporal and Postgres. */
export function samples(): Sample[] {
  return [
    sample("local", "`temporal.mode: devServer` (stack `local`)"),
    sample("prod", "`temporal.mode: chart`, `postgres.mode: cluster` (stack `prod`)", {
      networkAccess: {
        uiFrom: [{ namespace: "ingress" }],
        metricsFrom: [{ namespace: "monitoring" }],
      },
    }),
    sample("prod", "`temporal.mode: chart`, `postgres.mode: managed`", {
      postgres: {
        mode: "managed",
        host: "postgres.example.com",
        user: "temporal",
        passwordSecret: { name: "postgres" },
        maxConnections: 1000,
        cidrs: ["192.0.2.0/24"],
      },
    }),
    sample("prod", "`temporal.mode: external`", {
      temporal: {
        mode: "external",
        address: "temporal.example.com:7233",
        namespace: "orders",
        network: { cidrs: ["192.0.2.0/24"] },
      },
      postgres: undefined,
    }),
  ];
}

function sample(stack: string, title: string, changes: Mapping = {}): Sample {
  const source = sourceOfStackFile(join(__dirname, ".."), stack, changes);
  if (source === undefined) throw new Error(`there is no file of stack ${stack}`);
  return { title, settings: parseSettings(source) };
}
