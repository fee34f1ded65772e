import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseSettings, type Settings } from "../components/settings";
import { isMapping, type Mapping, PROJECT } from "../components/settings/source";

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
  const file: unknown = parse(readFileSync(join(__dirname, "..", `Pulumi.${stack}.yaml`), "utf8"));
  const written = isMapping(file) && isMapping(file["config"]) ? file["config"] : {};
  const changed = Object.fromEntries(
    Object.entries(changes).map(([section, value]) => [`${PROJECT}:${section}`, value]),
  );
  const config = Object.fromEntries(
    Object.entries({ ...written, ...changed })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  return {
    title,
    settings: parseSettings({ stack, stackFile: `Pulumi.${stack}.yaml`, config, secretKeys: [] }),
  };
}
