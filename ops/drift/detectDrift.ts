import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import { isMapping, PROJECT } from "../../settings/mapping";
import { cliOf } from "../../common/pulumi";
import { unreachableReason } from "../stack/kubeConfig";
import { clusterOf } from "../stack/cluster";
import { currentConfig, type StackConfig } from "../stack/config";
import { runPreview } from "../report/runPreview";
import type { Context } from "../../policy/evaluate";
import { sortMessages } from "../report/messages";
import type { HelmRelease, Plan } from "../report/plan";
import { LiveObjects } from "./live";
import { evaluateRunning, type RunningEvaluation } from "./policies";
import { deployedRelease } from "./release";
import type { DriftedObject, DriftReport } from "./driftReport";
import { differences, type ObjectManifest } from "./subset";

export interface DriftOptions {
  readonly configFile?: string | undefined;
  /** Receives what is being looked at. */
  readonly onStep?: (line: string) => void;
}

/**
 * Compares what runs with what was deployed: the resources of the stack by `pulumi preview --refresh`, and what Helm
 * keeps to itself, the objects of its releases, with the manifests that it applied. Nothing is changed.
 *
 * @throws Failure when there is nothing to compare with: no CLI, no such stack, a wrong passphrase, no cluster
 */
export async function findDrift(stack: string, options: DriftOptions = {}): Promise<DriftReport> {
  const { configFile, onStep = () => undefined } = options;
  const cli = cliOf(stack);
  const settings = await currentConfig(cli, { configFile });
  const config = await clusterOf(cli, settings);
  const empty = { stack, source: cli.description, resources: 0, objects: 0, driftedResources: [] };
  const reason = await unreachableReason(config);
  if (reason !== undefined) {
    const unknowns = [`the cluster cannot be reached (${reason}): nothing was compared`];
    return { ...empty, driftedObjects: [], pending: [], policies: NOTHING_JUDGED, unknowns };
  }
  onStep("pulumi preview --refresh");
  const { plan, succeeded } = await runPreview(cli, { configFile, refresh: true });
  const helm = await releasesDrift(config, plan.releases, onStep);
  onStep("policies of what runs");
  const judged = await judgeRunning(config, plan.namespaces, contextOf(stack, settings));
  return {
    ...empty,
    resources: plan.unchanged + plan.resources.length,
    objects: helm.objects,
    driftedResources: plan.drifted,
    driftedObjects: helm.drifted,
    pending: pendingOf(plan),
    policies: judged.policies,
    unknowns: [...(succeeded ? [] : stackUnknowns(plan)), ...helm.unknowns, ...judged.unknowns],
  };
}

const NOTHING_JUDGED: RunningEvaluation = { pods: 0, findings: [], excepted: [] };

/** What policies go by: those of a stack `organization/project/prod` are those of `prod`. */
const contextOf = (stack: string, settings: StackConfig): Context => ({
  stack: stack.split("/").at(-1) ?? stack,
  today: new Date().toISOString().slice(0, 10),
  exceptions: settings[`${PROJECT}:policyExceptions`]?.objectValue,
});

/** Judges what runs in the stack's namespaces by the policies. */
async function judgeRunning(
  config: KubeConfig,
  namespaces: readonly string[],
  context: Context,
): Promise<{ readonly policies: RunningEvaluation; readonly unknowns: readonly string[] }> {
  if (namespaces.length === 0) {
    return { policies: NOTHING_JUDGED, unknowns: ["policies of what runs: the preview named no namespace"] };
  }
  try {
    return { policies: await evaluateRunning(new LiveObjects(config), namespaces, context), unknowns: [] };
  } catch (error) {
    return { policies: NOTHING_JUDGED, unknowns: [`policies of what runs: ${reasonOf(error)}`] };
  }
}

/** What is drifted is put back by the next update: that is no change of the checkout. */
function pendingOf({ resources, drifted }: Plan): DriftReport["pending"] {
  const known = new Set(drifted.map(({ urn }) => urn));
  return resources.filter(({ urn, component }) => !component && !known.has(urn));
}

function stackUnknowns({ diagnostics }: Plan): string[] {
  const { errors, refusals, unknowns } = sortMessages(diagnostics);
  const causes = errors.causes.length > 0 ? errors.causes : errors.consequences;
  const said = [...causes, ...refusals, ...unknowns];
  return (said.length === 0 ? ["it ended without saying why"] : said).map(
    (text) => `resources of the stack: ${text}`,
  );
}

interface HelmDrift {
  readonly objects: number;
  readonly drifted: readonly DriftedObject[];
  readonly unknowns: readonly string[];
}

/** Compares what Helm applied with what runs, release by release. */
export async function releasesDrift(
  config: KubeConfig,
  releases: readonly HelmRelease[],
  onStep: (line: string) => void,
): Promise<HelmDrift> {
  const live = new LiveObjects(config);
  const result = { objects: 0, drifted: [] as DriftedObject[], unknowns: [] as string[] };
  for (const release of releases) {
    const label = `release ${release.namespace}/${release.name}`;
    onStep(label);
    try {
      const { objects } = await deployedRelease(config, release);
      const scaled = await live.scaled(release.namespace);
      for (const object of objects) {
        const drifted = await objectDrift(live, release, object, scaled);
        result.objects++;
        if (drifted !== undefined) result.drifted.push(drifted);
      }
    } catch (error) {
      result.unknowns.push(`${label}: ${reasonOf(error)}`);
    }
  }
  return result;
}

async function objectDrift(
  live: LiveObjects,
  release: HelmRelease,
  object: ObjectManifest,
  scaled: ReadonlySet<string>,
): Promise<DriftedObject | undefined> {
  const metadata = isMapping(object["metadata"]) ? object["metadata"] : {};
  const [name, namespace] = [String(metadata["name"]), String(metadata["namespace"])];
  const found = await live.read(object);
  const drift = { release, kind: object.kind, namespace, name };
  if (found === undefined) return { ...drift, gone: true, differences: [] };
  // An autoscaler owns how many there are.
  const ignored = scaled.has(`${object.kind}/${name}`) ? ["spec.replicas"] : [];
  const differing = differences(withoutNamespace(object, found), found, ignored);
  return differing.length === 0 ? undefined : { ...drift, gone: false, differences: differing };
}

/** Helm does not say which kinds have a namespace; the server does. */
function withoutNamespace(object: ObjectManifest, found: Readonly<Record<string, unknown>>): ObjectManifest {
  const [metadata, live] = [object["metadata"], found["metadata"]];
  if (!isMapping(metadata) || !isMapping(live) || live["namespace"] !== undefined) return object;
  return { ...object, metadata: { ...metadata, namespace: undefined } };
}

function reasonOf(error: unknown): string {
  if (error instanceof ApiException)
    return `the API server answers ${error.code} (may this identity read it?)`;
  return error instanceof Error ? error.message : String(error);
}
