import type { ResourceChange } from "./plan";
import type { PropertyChange } from "./propertyChanges";

/** Something that goes from one value to another. */
export interface Move {
  readonly what: string;
  readonly old: string;
  readonly new: string;
}

const ABSENT = "(none)";

/** Images by the values of the charts that name them. */
const CHART_IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  temporal: {
    "values.server.image": "Temporal server",
    "values.admintools.image": "Temporal admin tools",
    "values.web.image": "Temporal UI",
  },
  "cloudnative-pg": { "values.image": "CloudNativePG operator" },
};

/** Versions that move: charts, servers, images. */
export function versionMoves(resources: readonly ResourceChange[]): Move[] {
  return moves(resources, (resource, { path }) => {
    const { type, chart, name } = resource;
    if (type.startsWith("kubernetes:helm.sh/")) {
      if (path === "version") return `chart ${chart ?? name}`;
      if (path === "chart") return `chart of ${name}`;
      const [, values = "", part = ""] = /^(.*)\.(tag|repository|digest)$/.exec(path) ?? [];
      if (!values.endsWith("image")) return undefined;
      const known = chart === undefined ? undefined : CHART_IMAGES[chart]?.[values];
      return `${known ?? `${values} of ${name}`}${part === "tag" ? "" : `, ${part}`}`;
    }
    if (path === "spec.imageName" && type.endsWith(":Cluster")) return "Postgres";
    if (path === "imageName" && type.startsWith("docker:")) return "worker image, tag of the build";
    const [, container] = /\bcontainers\[([^\]]+)\]\.image$/i.exec(path) ?? [];
    return container === undefined ? undefined : `image of ${name}, container ${container}`;
  });
}

/** `spec.replicas`, and whatever else says how many, how large. */
const SCALE =
  /(^|\.)(replicas|replicaCount|minReplicas|maxReplicas|instances|maxConns|max_connections|storage\.size|walStorage\.size|resources\.(requests|limits)\.[\w-]+|requests\.storage)$/;

/** Numbers and sizes that change: pods, instances, memory, volumes. */
export function scalingMoves(resources: readonly ResourceChange[]): Move[] {
  return moves(resources, ({ name }, { path }) => (SCALE.test(path) ? `${name}: ${path}` : undefined));
}

/** The changes that a function has a name for, each once. */
function moves(
  resources: readonly ResourceChange[],
  name: (resource: ResourceChange, change: PropertyChange) => string | undefined,
): Move[] {
  const found = new Map<string, Move>();
  for (const resource of resources) {
    if (resource.operation !== "update" && resource.operation !== "replace") continue;
    for (const change of resource.changes) {
      const what = name(resource, change);
      if (what === undefined) continue;
      const move = { what, old: change.old ?? ABSENT, new: change.new ?? ABSENT };
      found.set(JSON.stringify(move), move);
    }
  }
  return [...found.values()];
}
