import { evaluateObjects, type Context, type Evaluation } from "../../policy/evaluate";
import { isMapping } from "../../settings/mapping";
import type { LiveObjects } from "./live";
import type { ObjectManifest } from "./subset";

/** What came of judging what runs. */
export interface RunningEvaluation extends Evaluation {
  /** Pods that were judged. */
  readonly pods: number;
}

/**
 * Judges what runs in namespaces by the policies: whether NetworkPolicies select each pod, whoever has made it, and
 * the rest of the policies for pods and NetworkPolicies that neither a controller nor the program has made.
 *
 * @throws ApiException when they cannot be read
 */
export async function evaluateRunning(
  live: LiveObjects,
  namespaces: readonly string[],
  context: Context,
): Promise<RunningEvaluation> {
  const found = await Promise.all(
    namespaces.map(async (namespace) => ({
      pods: (await live.list("v1", "Pod", namespace)).filter(runs),
      policies: await live.list("networking.k8s.io/v1", "NetworkPolicy", namespace),
    })),
  );
  const pods = found.flatMap((some) => some.pods);
  return {
    pods: pods.length,
    ...evaluateObjects([...pods, ...found.flatMap(({ policies }) => policies)], context),
  };
}

/** A pod that has ended talks to nobody. */
function runs({ status }: ObjectManifest): boolean {
  return !isMapping(status) || (status["phase"] !== "Succeeded" && status["phase"] !== "Failed");
}
