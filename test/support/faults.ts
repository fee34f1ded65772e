import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../common/failure";
import { kubectl } from "../../local/cluster/native/addons";
import { SERVER_ROLES } from "../../settings/temporal";

/*
 * What is done to a stack with charts on this machine's own cluster, to see what comes of it: by the tests, which
 * lose nothing, and by the figures, which take the time.
 */

const NAMESPACE = "temporal";
const CLUSTER = "cluster.postgresql.cnpg.io/temporal-pg";
const FAILOVER_MS = 150_000;

/** Name of the pod that is the primary of Postgres now. */
export async function primary(): Promise<string> {
  const name = await kubectl([
    ...["get", CLUSTER, "--namespace", NAMESPACE],
    "--output=jsonpath={.status.currentPrimary}",
  ]);
  return name.trim();
}

/** Waits until every instance of Postgres is ready. */
export const postgresReady = (seconds = 180): Promise<string> =>
  kubectl(["wait", "--for=condition=Ready", CLUSTER, "--namespace", NAMESPACE, `--timeout=${seconds}s`]);

/** Waits until a Deployment's rollout is complete. */
export const rolledOut = (namespace: string, deployment: string): Promise<string> =>
  kubectl(["rollout", "status", `deployment/${deployment}`, "--namespace", namespace, "--timeout=180s"]);

/** Kills pods without a word to them: names of pods, or the flags that select them. */
export const killPods = (namespace: string, ...which: readonly string[]): Promise<string> =>
  kubectl(["delete", "pods", "--namespace", namespace, ...which, "--grace-period=0", "--force"]);

/**
 * Kills the primary of Postgres, and waits until another instance is it. A look that fails in between is one more
 * that does not find it.
 *
 * @throws Failure when that takes longer than two and a half minutes
 */
export async function failOver(): Promise<void> {
  const killed = await primary();
  await killPods(NAMESPACE, killed);
  const giveUpAt = Date.now() + FAILOVER_MS;
  while ((await primary().catch(() => killed)) === killed) {
    if (Date.now() > giveUpAt) {
      throw new Failure(
        `${killed} is still the primary of Postgres ${FAILOVER_MS / 1_000} s after it was killed`,
        "look at the log of the operator in namespace cnpg-system",
      );
    }
    await delay(1_000);
  }
}

/** Replaces the pods of all roles of the Temporal server, as a new version would, and waits for the end of it. */
export async function restartServer(): Promise<void> {
  const deployments = SERVER_ROLES.map((role) => `temporal-${role}`);
  const names = deployments.map((name) => `deployment/${name}`);
  await kubectl(["rollout", "restart", ...names, "--namespace", NAMESPACE]);
  for (const name of deployments) await rolledOut(NAMESPACE, name);
}
