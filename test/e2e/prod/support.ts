import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseSettings, type Settings } from "../../../components/settings";
import { sourceOfStackFile } from "../../../components/settings/stackFile";
import { machineSettingsFile } from "../../../local/pulumi";
import { type Section, sectionSchema, StackFile } from "../stackFile";
import { z } from "zod";
import { checkout, kubectl, repository, succeed } from "../support";

/** The real stack file of production, in the copied checkout. */
export const prod = new StackFile(repository, checkout, "prod");

const small = (memory: string, limit: string) => ({
  requests: { cpu: "10m", memory },
  limits: { memory: limit },
});
const role = { replicas: 2, resources: small("96Mi", "512Mi") };

/**
 * What two cores and one node need of production: less of everything, but two pods of each Temporal role, three
 * Postgres instances and three workers, and nothing protected, as it all goes at the end.
 */
export const twoCores = {
  temporal: {
    roles: { frontend: role, history: role, matching: role, worker: role },
    databaseConnections: { default: 6, visibility: 4 },
    ui: { replicas: 1 },
    // The shortest, so that tests need not wait.
    reconcileMinutes: 1,
  },
  postgres: {
    operator: { replicas: 1 },
    antiAffinity: "preferred",
    storage: { size: "2Gi" },
    walStorage: { size: "1Gi" },
    resources: { requests: { cpu: "20m", memory: "256Mi" }, limits: { memory: "768Mi" } },
    stopSeconds: 60,
  },
  workers: [
    {
      name: "orders",
      taskQueues: ["orders"],
      replicas: { min: 3, max: 4 },
      resources: small("192Mi", "512Mi"),
    },
  ],
  deletionProtection: "false",
};

prod.layOver(twoCores);

/** Lays settings over those of the Temporal namespace in the copied stack file. */
export function changeNamespace(settings: Section): void {
  prod.change("temporal", (temporal) => {
    const { namespaces, ...others } = z.looseObject({ namespaces: z.tuple([sectionSchema]) }).parse(temporal);
    return { ...others, namespaces: [{ ...namespaces[0], ...settings }] };
  });
}

/** The settings of the deployed stack: the copied stack file, and what this machine lays over it. */
export function deployedSettings(): Settings {
  const source = sourceOfStackFile(checkout, "prod");
  assert.ok(source);
  const overlay = { file: machineSettingsFile, text: readFileSync(machineSettingsFile, "utf8") };
  return parseSettings({ ...source, overlay });
}

/** Waits until something holds; a look that fails is one more that does not find it. */
export async function eventually(what: string, holds: () => Promise<boolean>, seconds = 150): Promise<void> {
  const giveUpAt = Date.now() + seconds * 1_000;
  let failure: unknown;
  while (Date.now() < giveUpAt) {
    try {
      if (await holds()) return;
    } catch (error) {
      failure = error;
    }
    await delay(1_000);
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: failure });
}

/** Namespaces of the stack. */
export const NAMESPACES = ["temporal", "temporal-workers", "cnpg-system"];

/** Runs a command in a container of a pod, as `kubectl exec`. */
export const inPod = (namespace: string, pod: string, ...command: string[]): Promise<string> =>
  kubectl("exec", "--namespace", namespace, pod, "--", ...command);

/** Runs the Temporal CLI in the admin tools' pod. */
export const temporalCli = (...args: string[]): Promise<string> =>
  inPod(
    "temporal",
    "deployment/temporal-admintools",
    ...["temporal", "--address", "temporal-frontend:7233", "--namespace", "prod", ...args],
  );

/** Runs SQL on the primary, as its superuser. */
export async function sql(statement: string, database = "temporal"): Promise<string> {
  return inPod("temporal", await primary(), "psql", "-At", "-d", database, "-c", statement);
}

/** Name of the pod that is the primary of Postgres now. */
export async function primary(): Promise<string> {
  return (
    await kubectl(
      ...["get", "cluster.postgresql.cnpg.io", "temporal-pg", "--namespace", "temporal"],
      "--output=jsonpath={.status.currentPrimary}",
    )
  ).trim();
}

/** Waits until a Deployment's rollout is complete. */
export const rolledOut = (namespace: string, deployment: string): Promise<string> =>
  kubectl("rollout", "status", `deployment/${deployment}`, "--namespace", namespace, "--timeout=180s");

/** Waits until every instance of Postgres is ready. */
export const postgresReady = (seconds = 180): Promise<string> =>
  kubectl(
    ...["wait", "--for=condition=Ready", "cluster.postgresql.cnpg.io/temporal-pg", "--namespace=temporal"],
    `--timeout=${seconds}s`,
  );

/** Brings the stack up as somebody who may do no more than that. */
export const upCommand = ["npm", "run", "up", "--", "--stack", "prod", "--deployer"];

/** Runs that command, which has to succeed. */
export const up = (): Promise<string> => succeed(upCommand);
