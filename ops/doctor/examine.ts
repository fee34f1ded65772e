import type { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { cliOf, type StackCli } from "../../common/pulumi";
import type { Settings } from "../../settings/settings";
import { kubeConfigOf, unreachableReason } from "../stack/kubeConfig";
import { stackNameOf } from "../stack/workspace";
import { type Check, type Subject, Unmet } from "./check";
import { backend } from "./checks/backend";
import { cluster, type Reached, serverOf } from "./checks/cluster";
import { enforcement } from "./checks/enforcement";
import { images } from "./checks/images";
import { ingress } from "./checks/ingress";
import { metrics } from "./checks/metrics";
import { network } from "./checks/network";
import { nodes } from "./checks/nodes";
import { operators } from "./checks/operators";
import { permissions } from "./checks/permissions";
import { secrets } from "./checks/secrets";
import { secretsProvider } from "./checks/secretsProvider";
import { settings as settingsCheck } from "./checks/settings";
import { storage } from "./checks/storage";
import { kubernetes, versions } from "./checks/versions";
import { ClusterReader, reasonOf } from "./clusterReader";
import { type Finding, notChecked } from "./finding";
import { loadSettings } from "./loadSettings";
import type { DoctorReport, Examined } from "./report";

/** Longest time for one check that names none. */
const SECONDS = 60;

/** Checks of a stack that need its cluster, in the order in which a first update would fail. */
const CLUSTER_CHECKS: readonly Check[] = [
  ...[kubernetes, permissions, operators, secrets, nodes, storage, metrics, ingress, images, network],
  enforcement,
];

/** The one check that makes something in the cluster. */
export const PROBE = enforcement.name;

/** Names of all checks. */
export const CHECK_NAMES: readonly string[] = [
  ...["settings", "versions", "backend", "secrets-provider", "cluster"],
  ...CLUSTER_CHECKS.map(({ name }) => name),
];

/** How a stack is examined. */
export interface ExamineOptions {
  /** Names of checks that are left out. */
  readonly skipped: readonly string[];
  /** Told what is being checked. */
  readonly onStep: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks at everything that decides whether a stack can be deployed. A check that cannot be made says so, and the others
 * go on.
 *
 * @throws UsageFailure when the stack has no file
 */
export async function examine(stack: string, options: ExamineOptions): Promise<DoctorReport> {
  const { subject, loaded, reached } = await subjectOf(stack, options.signal);
  const checks = [
    ...[settingsCheck(loaded), versions, backend, secretsProvider, cluster(reached)],
    ...CLUSTER_CHECKS,
  ];
  return { stack, checks: await runChecks(checks, subject, options) };
}

/**
 * What checks of a stack look at.
 *
 * @throws UsageFailure when the stack has no file
 */
export async function subjectOf(stack: string, signal: AbortSignal) {
  const cli = cliOf(stack);
  const name = stackNameOf(stack);
  const loaded = loadSettings(name, cli.local);
  const { config, reached } = await wayIn(cli, loaded.settings);
  const subject: Subject = {
    stack: name,
    cli,
    signal,
    get settings() {
      return met(loaded.settings, "the settings are not valid");
    },
    get cluster() {
      return new ClusterReader(this.kubeConfig);
    },
    get kubeConfig() {
      return met(reached.problem === undefined ? config : undefined, "the cluster cannot be reached");
    },
  };
  return { subject, loaded, reached };
}

/** Makes one check after the other; whatever one throws is the reason why it was not made. */
export async function runChecks(
  checks: readonly Check[],
  subject: Subject,
  { skipped, onStep, signal }: ExamineOptions,
): Promise<Examined[]> {
  const examined: Examined[] = [];
  for (const check of checks) {
    if (signal.aborted) break;
    const { name, about } = check;
    if (skipped.includes(name)) {
      examined.push({ check: name, about, findings: [], skipped: true });
      continue;
    }
    onStep(name);
    examined.push({ check: name, about, findings: await findingsOf(check, subject) });
  }
  return examined;
}

async function findingsOf(check: Check, subject: Subject): Promise<readonly Finding[]> {
  const { name, seconds = SECONDS } = check;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${seconds} s`));
    }, seconds * 1000);
  });
  try {
    return await Promise.race([Promise.resolve(subject).then((given) => check.examine(given)), late]);
  } catch (error) {
    const remedy =
      error instanceof Unmet
        ? "settle the check that failed above"
        : `see that this identity may ask for it, or leave it out with --skip ${name}`;
    return [notChecked(reasonOf(error), remedy)];
  } finally {
    clearTimeout(timer);
  }
}

/** The way into the stack's cluster, and whether anybody answers. */
async function wayIn(
  cli: StackCli,
  settings: Settings | undefined,
): Promise<{ readonly config: KubeConfig | undefined; readonly reached: Reached }> {
  try {
    const config = await kubeConfigOf(cli, cli.cluster?.context ?? settings?.kubernetes.context);
    return { config, reached: { server: serverOf(config), problem: await unreachableReason(config) } };
  } catch (error) {
    return { config: undefined, reached: { server: undefined, problem: problemOf(error) } };
  }
}

/** A failure to find the cluster says in its details where it was looked for. */
const problemOf = (error: unknown): string =>
  error instanceof Failure && error.details.length > 0 ? error.details.join("; ") : reasonOf(error);

function met<T>(value: T | undefined, reason: string): T {
  if (value === undefined) throw new Unmet(reason);
  return value;
}
