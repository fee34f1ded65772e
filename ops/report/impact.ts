import type { ResourceChange } from "./plan";

/** What going away means: data is lost, or workflows wait. */
export interface Impact {
  readonly kind: "data" | "workflows";
  readonly why: string;
}

interface Rule {
  readonly type: RegExp;
  /** Component that the resource must be in. */
  readonly component?: RegExp;
  readonly kind: Impact["kind"];
  readonly why: string;
}

const TOKEN = "temporal-stack:index:";

/** The first rule that fits decides. */
const RULES: readonly Rule[] = [
  {
    type: /^kubernetes:postgresql\.cnpg\.io\/v1:Cluster$/,
    kind: "data",
    why: "Postgres: every workflow and its history",
  },
  { type: /^kubernetes:postgresql\.cnpg\.io\/v1:Database$/, kind: "data", why: "a database of Temporal" },
  {
    type: /^kubernetes:postgresql\.cnpg\.io\/v1:(ScheduledBackup|Backup)$|:ObjectStore$/,
    kind: "data",
    why: "backups of Postgres",
  },
  {
    type: /^kubernetes:core\/v1:(PersistentVolumeClaim|PersistentVolume)$/,
    kind: "data",
    why: "a volume with what is on it",
  },
  { type: /^kubernetes:apps\/v1:StatefulSet$/, kind: "data", why: "pods with volumes of their own" },
  { type: /^kubernetes:core\/v1:Namespace$/, kind: "data", why: "everything in the namespace goes with it" },
  {
    type: /^kubernetes:core\/v1:Secret$/,
    component: /PayloadKeyring$/,
    kind: "data",
    why: "keys: without them no payload can be read",
  },
  { type: /^kubernetes:core\/v1:Secret$/, kind: "data", why: "a Secret with passwords, keys or tokens" },
  { type: /^random:/, kind: "data", why: "a generated password or key, which no update brings back" },
  {
    type: /:CustomResourceDefinition$/,
    kind: "data",
    why: "every object of the type goes with it, databases too",
  },
  {
    type: /^pulumi:providers:kubernetes$/,
    kind: "data",
    why: "with the provider everything in the cluster is replaced",
  },
  {
    type: /^kubernetes:helm\.sh\/v3:Release$/,
    component: /PostgresOperator$/,
    kind: "workflows",
    why: "the Postgres operator: no failover and no repair meanwhile",
  },
  {
    type: /^kubernetes:helm\.sh\/v3:Release$/,
    kind: "workflows",
    why: "the Temporal server: every workflow waits until it is back",
  },
  {
    type: /^kubernetes:apps\/v1:Deployment$/,
    component: /TemporalWorker$/,
    kind: "workflows",
    why: "workers: their workflows wait until they are back",
  },
  {
    type: /^kubernetes:(apps\/v1:Deployment|core\/v1:Service)$/,
    component: /Temporal(DevServer|Server)$/,
    kind: "workflows",
    why: "the Temporal server: every workflow waits until it is back",
  },
  {
    type: /^kubernetes:(apps\/v1:Deployment|core\/v1:Service)$/,
    component: /CodecServer$/,
    kind: "workflows",
    why: "the codec server: the UI shows payloads encrypted meanwhile",
  },
  {
    type: /^kubernetes:(networking\.k8s\.io\/v1:NetworkPolicy|cilium\.io\/v2:CiliumNetworkPolicy)$/,
    kind: "workflows",
    why: "traffic that it allowed may be denied",
  },
];

/** What it means that a resource is deleted or replaced; undefined if neither, or if nothing is lost by it. */
export function impactOf(resource: ResourceChange): Impact | undefined {
  if (resource.operation !== "delete" && resource.operation !== "replace") return undefined;
  const component = resource.components.at(-1) ?? "";
  const rule = RULES.find(
    (candidate) =>
      candidate.type.test(resource.type) &&
      (candidate.component === undefined ||
        (component.startsWith(TOKEN) && candidate.component.test(component))),
  );
  return rule === undefined ? undefined : { kind: rule.kind, why: rule.why };
}
