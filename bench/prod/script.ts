import type { KubernetesObject, Release, StackObjects } from "./stackObjects";

/** A script, and the files that it reads, by name. */
export interface Script {
  readonly text: string;
  readonly files: Readonly<Record<string, unknown>>;
}

const WAIT_FOR = "pulumi.com/waitFor";
const POSTGRES_TIMEOUT = "900s";

/**
 * Writes the shell script that somebody careful would deploy stack prod with: the same objects by kubectl and Helm,
 * with nothing that waits for more than it needs. First all namespaces; then all that no pod comes of, one kubectl
 * for each namespace, beside the operator of Postgres; Postgres as soon as the operator accepts it; then the server,
 * its namespaces, and the workers.
 *
 * @param commands paths of the programs
 * @throws Error when the stack has other parts than stack prod
 */
export function deployScript(
  { objects, releases }: StackObjects,
  commands: { readonly kubectl: string; readonly helm: string },
): Script {
  const [operator, server] = releasesOf(releases);
  const postgres = objects.filter(isPostgres);
  const clusters = postgres.filter(({ kind }) => kind === "Cluster");
  const databases = postgres.filter((object) => !clusters.includes(object));
  const jobs = objects.filter(({ kind }) => kind === "Job" || kind === "CronJob");
  const gates = jobs.filter(({ metadata }) => metadata.namespace === operator.namespace);
  const reconcilers = jobs.filter((job) => !gates.includes(job));
  const namespaces = objects.filter(({ kind }) => kind === "Namespace");
  const deployments = objects.filter(({ kind }) => kind === "Deployment");
  const taken = new Set([...postgres, ...jobs, ...namespaces, ...deployments]);
  const foundations = byNamespace(objects.filter((object) => !taken.has(object)));
  const files: Record<string, unknown> = {
    "namespaces.json": list(namespaces),
    ...Object.fromEntries(foundations.map(([namespace, some]) => [`${namespace}.json`, list(some)])),
    "operator-values.json": operator.values,
    "gates.json": list(gates),
    "clusters.json": list(clusters),
    "databases.json": list(databases),
    "server-values.json": server.values,
    "reconcilers.json": list(reconcilers),
    "deployments.json": list(deployments),
  };
  const lines = [
    "#!/bin/bash",
    "set -euo pipefail",
    `cd "$(dirname "$0")"`,
    `apply() { ${quoted(commands.kubectl)} apply --server-side --force-conflicts --filename "$1" >/dev/null; }`,
    `kube() { ${quoted(commands.kubectl)} "$@" >/dev/null; }`,
    `helm() { ${quoted(commands.helm)} "$@" >/dev/null; }`,
    `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`,
    "# Of what runs beside each other, the first failure ends the script.",
    'together() { local pid; for pid in "$@"; do wait "$pid"; done; }',
    "",
    "apply namespaces.json",
    "pids=()",
    `${install(operator, "operator-values.json")} & pids+=($!)`,
    ...foundations.map(([namespace]) => `apply ${quoted(`${namespace}.json`)} & pids+=($!)`),
    'together "${pids[@]}"',
    "",
    "apply gates.json & gates=$!",
    "# The operator's webhook may need a moment after its pod is ready.",
    "attempts=0",
    "until apply clusters.json 2>webhook.log; do",
    "  attempts=$((attempts + 1))",
    '  if [ "$attempts" -ge 120 ]; then cat webhook.log >&2; exit 1; fi',
    "  sleep 0.5",
    "done",
    'together "$gates"',
    ...inParallel(clusters.flatMap(waitsFor)),
    "# The operator looks again only after half a minute at a Database whose owner was not there.",
    "apply databases.json",
    ...inParallel(databases.flatMap(waitsFor)),
    "",
    install(server, "server-values.json"),
    "apply reconcilers.json",
    ...inParallel(
      reconcilers
        .filter(({ kind }) => kind === "Job")
        .map((job) => waiting(job, "condition=Complete", POSTGRES_TIMEOUT)),
    ),
    "",
    "apply deployments.json",
    ...inParallel(
      deployments.map(
        ({ metadata }) =>
          `kube rollout status ${quoted(`deployment/${metadata.name}`)}${inNamespace(metadata)} --timeout=600s`,
      ),
    ),
    "",
  ];
  return { text: lines.join("\n"), files };
}

/** Takes away what the script has deployed, in the order in which operators still do their part. */
export function removeScript(
  { objects, releases }: StackObjects,
  commands: { readonly kubectl: string; readonly helm: string },
): string {
  const [operator, server] = releasesOf(releases);
  const namespaces = objects.filter(({ kind }) => kind === "Namespace");
  // Databases go first: the operator lets go of them while their Cluster is there.
  const kinds = ["Database", "Cluster"].filter((kind) => objects.some((object) => object.kind === kind));
  const remove = (object: KubernetesObject): string =>
    `${quoted(commands.kubectl)} delete ${resourceOf(object)}${inNamespace(object.metadata)} --ignore-not-found --timeout=300s`;
  const uninstall = ({ name, namespace }: Release): string =>
    `${quoted(commands.helm)} uninstall ${quoted(name)} --namespace ${quoted(namespace)} --ignore-not-found --wait --timeout 300s`;
  return [
    "#!/bin/bash",
    "set -euo pipefail",
    uninstall(server),
    ...kinds.flatMap((kind) => objects.filter((object) => object.kind === kind).map(remove)),
    uninstall(operator),
    ...namespaces.map(remove),
    "",
  ].join("\n");
}

function releasesOf(releases: readonly Release[]): readonly [operator: Release, server: Release] {
  const operator = releases.find(({ chart }) => chart === "cloudnative-pg");
  const server = releases.find(({ chart }) => chart === "temporal");
  if (operator === undefined || server === undefined || releases.length !== 2) {
    throw new Error(`the script knows two charts, not ${releases.map(({ chart }) => chart).join(", ")}`);
  }
  return [operator, server];
}

const isPostgres = ({ apiVersion }: KubernetesObject): boolean =>
  apiVersion.startsWith("postgresql.cnpg.io/");

function byNamespace(objects: readonly KubernetesObject[]): [string, KubernetesObject[]][] {
  const groups = new Map<string, KubernetesObject[]>();
  for (const object of objects) {
    const key = `objects-${object.metadata.namespace ?? "cluster"}`;
    groups.set(key, [...(groups.get(key) ?? []), object]);
  }
  return [...groups];
}

const list = (items: readonly KubernetesObject[]): unknown => ({ apiVersion: "v1", kind: "List", items });

const install = (
  { name, chart, namespace, version, repositoryOpts, timeout, waitForJobs }: Release,
  values: string,
) =>
  [
    ...["helm install", quoted(name), quoted(chart), "--repo", quoted(repositoryOpts.repo)],
    ...["--version", quoted(version), "--namespace", quoted(namespace), "--values", quoted(values)],
    ...["--wait", ...(waitForJobs ? ["--wait-for-jobs"] : []), `--timeout ${timeout}s`],
  ].join(" ");

/** What the program waits for before it goes on, by its own annotation: one condition, or a JSON list of them. */
function waitsFor(object: KubernetesObject): string[] {
  const value = object.metadata.annotations?.[WAIT_FOR];
  if (value === undefined) return [];
  const conditions = value.startsWith("[") ? (JSON.parse(value) as unknown) : [value];
  if (!Array.isArray(conditions)) throw new Error(`${WAIT_FOR} is no list`);
  return conditions.map((condition) => waiting(object, String(condition), POSTGRES_TIMEOUT));
}

const waiting = (object: KubernetesObject, condition: string, timeout: string): string =>
  `kube wait ${quoted(`--for=${condition}`)} ${resourceOf(object)}${inNamespace(object.metadata)} --timeout=${timeout}`;

/** `cluster.postgresql.cnpg.io/name`, with its group, as other groups have kinds of the same name. */
function resourceOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const [group, version] = apiVersion.split("/");
  const type = version === undefined ? kind : `${kind}.${group}`;
  return quoted(`${type.toLowerCase()}/${metadata.name}`);
}

const inNamespace = ({ namespace }: KubernetesObject["metadata"]): string =>
  namespace === undefined ? "" : ` --namespace ${quoted(namespace)}`;

const inParallel = (commands: readonly string[]): string[] =>
  commands.length === 0
    ? []
    : ["pids=()", ...commands.map((command) => `${command} & pids+=($!)`), 'together "${pids[@]}"'];

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
