import type { KubeConfig } from "@kubernetes/client-node";
import { isMapping, PROJECT } from "../../settings/mapping";
import { cliOf } from "../../common/pulumi";
import { unreachableReason } from "../stack/kubeConfig";
import { clusterOf } from "../stack/cluster";
import { askPulumi, stackNameOf, withWorkspace } from "../stack/workspace";
import { currentConfig, type StackConfig } from "../stack/config";
import { runPreview } from "../report/runPreview";
import type { Context } from "../../policy/evaluate";
import { sortMessages } from "../report/messages";
import type { DriftedResource, HelmRelease, Plan } from "../report/plan";
import { SECRET } from "../report/values";
import { LiveObjects, readFailure } from "./live";
import { type IsKnown, knownManagers } from "./ownership";
import { evaluateRunning, type RunningEvaluation } from "./policies";
import { deployedRelease } from "./release";
import { compare, type ComparedResource, resourcesDrift, stackObjects } from "./resources";
import type { DriftedObject, DriftReport } from "./driftReport";
import type { ObjectManifest } from "./subset";

export interface DriftOptions {
  readonly configFile?: string | undefined;
  /** Field managers beside the stack's own that may write to its objects. */
  readonly accept?: readonly string[] | undefined;
  /** Receives what is being looked at. */
  readonly onStep?: (line: string) => void;
}

/**
 * Conflicts with what others have written end a preview at the first of them. A preview applies nothing, so it may
 * pass over them; who has written what is read from the objects themselves.
 */
const PAST_CONFLICTS = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" };

/**
 * Compares what runs with what was deployed. Objects that the stack has declared are compared with its state and
 * objects of Helm releases with the manifests that Helm applied, field by field, also for what others have added;
 * `pulumi preview --refresh` compares the rest. Nothing is changed.
 *
 * @throws Failure when there is nothing to compare with: no CLI, no such stack, a wrong passphrase, no cluster
 */
export async function findDrift(stack: string, options: DriftOptions = {}): Promise<DriftReport> {
  const { configFile, accept = [], onStep = () => undefined } = options;
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
  const previewed = { configFile, refresh: true, environment: PAST_CONFLICTS };
  const { plan, succeeded } = await runPreview(cli, previewed);
  onStep("objects of the stack");
  const { objects, managers } = await withWorkspace(stack, async (workspace) =>
    stackObjects(JSON.parse(await askPulumi(workspace, ["stack", "export"]))),
  );
  const isKnown = knownManagers([...managers, ...accept]);
  const own = await resourcesDrift(new LiveObjects(config), objects, isKnown);
  const helm = await releasesDrift(config, plan.releases, onStep, isKnown);
  onStep("policies of what runs");
  const judged = await judgeRunning(config, plan.namespaces, contextOf(stack, settings));
  return {
    ...empty,
    resources: Math.max(plan.unchanged + plan.resources.length, own.compared),
    objects: helm.objects,
    driftedResources: together(own.drifted, plan.drifted),
    driftedObjects: helm.drifted,
    pending: pendingOf(plan),
    policies: judged.policies,
    unknowns: [
      ...(succeeded ? [] : stackUnknowns(plan)),
      ...own.unknowns,
      ...helm.unknowns,
      ...judged.unknowns,
    ],
  };
}

/**
 * What the objects show goes before what the engine saw, which knows nothing of what others have added; it alone sees
 * what is no object, and that a secret differs.
 */
export function together(
  compared: readonly ComparedResource[],
  refreshed: readonly DriftedResource[],
): (ComparedResource | DriftedResource)[] {
  const seen = new Map(refreshed.map((resource) => [resource.urn, resource]));
  const own = new Set(compared.map(({ urn }) => urn));
  return [
    ...compared.map((resource) => {
      const secrets = (seen.get(resource.urn)?.changes ?? []).filter(
        ({ old, new: next }) => old === SECRET || next === SECRET,
      );
      const paths = new Set(resource.changes.map(({ path }) => path));
      const others = secrets.filter(({ path }) => !paths.has(path));
      return { ...resource, changes: [...resource.changes, ...others] };
    }),
    ...refreshed.filter(({ urn }) => !own.has(urn)),
  ];
}

const NOTHING_JUDGED: RunningEvaluation = { pods: 0, findings: [], excepted: [] };

/** What policies go by: those of a stack `organization/project/prod` are those of `prod`. */
const contextOf = (stack: string, settings: StackConfig): Context => ({
  stack: stackNameOf(stack),
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
    return { policies: NOTHING_JUDGED, unknowns: [`policies of what runs: ${readFailure(error)}`] };
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
  isKnown: IsKnown = knownManagers([]),
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
        const drifted = await objectDrift(live, { release, object, scaled, isKnown });
        result.objects++;
        if (drifted !== undefined) result.drifted.push(drifted);
      }
    } catch (error) {
      result.unknowns.push(`${label}: ${readFailure(error)}`);
    }
  }
  return result;
}

interface HelmObject {
  readonly release: HelmRelease;
  readonly object: ObjectManifest;
  /** What autoscalers scale: they own how many there are. */
  readonly scaled: ReadonlySet<string>;
  readonly isKnown: IsKnown;
}

async function objectDrift(
  live: LiveObjects,
  { release, object, scaled, isKnown }: HelmObject,
): Promise<DriftedObject | undefined> {
  const metadata = isMapping(object["metadata"]) ? object["metadata"] : {};
  const [name, namespace] = [String(metadata["name"]), String(metadata["namespace"])];
  const found = await live.read(object);
  const drift = { release, kind: object.kind, namespace, name };
  if (found === undefined) {
    return { ...drift, manifest: object, gone: true, changes: [], additions: [], writers: {} };
  }
  const manifest = withoutNamespace(object, found);
  const ignored = scaled.has(`${object.kind}/${name}`) ? ["spec.replicas"] : [];
  const compared = compare(manifest, found, isKnown, ignored);
  return compared.changes.length === 0 ? undefined : { ...drift, manifest, gone: false, ...compared };
}

/** Helm does not say which kinds have a namespace; the server does. */
function withoutNamespace(object: ObjectManifest, found: Readonly<Record<string, unknown>>): ObjectManifest {
  const [metadata, live] = [object["metadata"], found["metadata"]];
  if (!isMapping(metadata) || !isMapping(live) || live["namespace"] !== undefined) return object;
  return { ...object, metadata: { ...metadata, namespace: undefined } };
}
