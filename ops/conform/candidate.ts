import { workerEnvironment, KEYRING_DIRECTORY } from "../../components/manifests/workerManifests";
import { UsageFailure } from "../../common/usageFailure";
import type { Settings, WorkerSettings } from "../../settings/settings";
import { imageOfGroup } from "../../settings/stackImages";
import { worker } from "../../settings/workers";

/** Port of the Temporal server of a trial. */
export const TEMPORAL_PORT = 7233;
/** Its HTTP API. */
export const HTTP_PORT = 7243;
/** Temporal namespace of a trial: an image that ignores the environment does not find it. */
export const TEMPORAL_NAMESPACE = "conform";
/** Times of a trial: nothing runs that would have to end. */
export const SHUTDOWN = { graceSeconds: 2, forceSeconds: 5 } as const;
/** Name of a group that is none: two queues, as an image has to poll all of them. */
const NOBODY = "conform";

/** The worker group that an image is tried as. */
export interface Candidate {
  /** By digest. */
  readonly image: string;
  /** Whether it is a group of the stack, or one of which nothing is set. */
  readonly named: boolean;
  readonly group: WorkerSettings;
  /** Platform of the nodes that the group runs on. */
  readonly platform: string;
}

/** @throws UsageFailure when the stack has no such group */
export function candidateOf(settings: Settings, image: string, group: string | undefined): Candidate {
  if (group === undefined) {
    const nobody = worker.parse({ name: NOBODY, image: NOBODY, taskQueues: [`${NOBODY}-1`, `${NOBODY}-2`] });
    return { image, named: false, group: nobody, platform: settings.workerImage.platform };
  }
  const found = settings.workers.find(({ name }) => name === group);
  if (found === undefined) {
    throw new UsageFailure(
      `stack ${settings.stack} has no worker group "${group}"`,
      `name one of ${settings.workers.map(({ name }) => name).join(", ")}, or leave --group away for the defaults of the contract`,
    );
  }
  return {
    image,
    named: true,
    group: found,
    platform: (imageOfGroup(settings, group) ?? settings.workerImage).platform,
  };
}

/** Whether the group is given payload keys; in a trial it is a key that nothing else was written with. */
export const encrypts = ({ payloadEncryption }: Settings, { group }: Candidate): boolean =>
  payloadEncryption.enabled && group.payloadEncryption;

/** Id of that key. */
export const TRIAL_KEY = "conform";

/**
 * The environment of the contract, with a Temporal server of the trial's own.
 * @param host address of its pod
 */
export function trialEnvironment(
  settings: Settings,
  candidate: Candidate,
  host: string,
): Record<string, string> {
  const group = { ...candidate.group, shutdown: { ...candidate.group.shutdown, ...SHUTDOWN } };
  const own = Object.entries(workerEnvironment({ ...settings, tracing: undefined }, group));
  const kept = own.filter(
    ([name]) => !name.startsWith("TEMPORAL_") || /^TEMPORAL_(TASK_QUEUES|GRPC_COMPRESSION)$/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    TEMPORAL_ADDRESS: `${host}:${String(TEMPORAL_PORT)}`,
    TEMPORAL_NAMESPACE,
    TEMPORAL_TLS: "false",
    ...(encrypts(settings, candidate)
      ? { CODEC_KEYS_DIR: KEYRING_DIRECTORY, CODEC_ACTIVE_KEY: TRIAL_KEY }
      : {}),
  };
}

/** What the group gets from objects that a trial does not have. */
export const leftOut = ({ group }: Candidate): readonly string[] => [
  ...group.secrets.map(({ env, file }) => env ?? file ?? ""),
  ...group.envFrom.map(({ secret, configMap }) => secret ?? configMap ?? ""),
];
