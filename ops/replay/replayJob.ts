import { z } from "zod";
import { Failure } from "../../common/failure";
import type { Mapping } from "../../settings/mapping";

/** What nobody watches any more ends by itself; histories of tens of thousands of workflows take minutes. */
const DEADLINE_SECONDS = 4 * 3600;
/** After its end, should nobody have deleted it. */
const KEPT_SECONDS = 600;
/** The role in the stack: neither the group's budget, nor its autoscaler, nor its Deployment count such a pod. */
const COMPONENT = "app.kubernetes.io/component";
/** Of a pod that serves: they would end one that does not, or spread it with those of the Deployment. */
const OF_SERVERS = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports", "args"];
const OF_REPLICAS = ["topologySpreadConstraints"];

const texts = z.record(z.string(), z.string());
const container = z.looseObject({ name: z.string() });
const deployment = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: texts.default({}), annotations: texts.default({}) }),
      spec: z.looseObject({ containers: z.tuple([container], container) }),
    }),
  }),
});

/** What replays, and how. */
export interface ReplayRun {
  readonly name: string;
  readonly namespace: string;
  /** By digest. */
  readonly image: string;
  /** The group's replay command with its arguments. */
  readonly command: readonly string[];
}

/**
 * A Job that replays with an image as a worker group's own pod would run it: with the group's environment, mounts,
 * ServiceAccount, sidecars and place among the nodes, and with the labels by which NetworkPolicies know the group.
 *
 * @param deployed the group's Deployment
 * @throws Failure when it is none
 */
export function replayJob(deployed: unknown, { name, namespace, image, command }: ReplayRun) {
  const { data } = deployment.safeParse(deployed);
  if (data === undefined) {
    throw new Failure("the worker group has no Deployment", "deploy the stack, then run the command again");
  }
  const { metadata, spec } = data.spec.template;
  const [worker] = spec.containers;
  const labels: Readonly<Record<string, string>> = { ...metadata.labels, [COMPONENT]: "replay" };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels, annotations: metadata.annotations },
        spec: {
          ...without(spec, OF_REPLICAS),
          restartPolicy: "Never",
          containers: [{ ...without(worker, OF_SERVERS), name: worker.name, image, command: [...command] }],
        },
      },
    },
  };
}

const without = (object: Mapping, keys: readonly string[]): Mapping =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
