import { z } from "zod";
import { looksSecret } from "./env";
import { ifWrongType, rule } from "./fields";
import { isMapping, type Mapping, merge } from "./mapping";
import { owned, ownedProblems } from "./ownedPaths";
import { containerProblems, volumeProblems } from "./podPromises";
import { reservedLabelProblems } from "./reservedLabels";

const RESTRICTED = "pods run as Pod Security restricted wants it; remove it";
const INTERNAL =
  "Temporal trusts whoever reaches it; put a proxy of your own before the Service and open it under networkAccess.frontendFrom";

/** What this program sets in the values of the Temporal chart and promises to keep so. */
const OWNED = [
  ...owned(
    "NetworkPolicies, workers and guards know everything by its name",
    "nameOverride",
    "fullnameOverride",
  ),
  ...owned("the pods' account hands out no token; remove it", "serviceAccount"),
  ...owned("set imagePull instead", "imagePullSecrets"),
  ...owned("no policy sees such objects; deploy them with a program of your own", "extraObjects"),
  ...owned("the schema must be updated before the server; remove it", "schema.useHelmHooks"),
  ...owned("set temporal.schemaTimeoutSeconds instead", "schema.activeDeadlineSeconds"),
  ...owned("set temporal.images instead", "server.image", "admintools.image"),
  ...owned("set temporal.ui.image instead", "web.image"),
  ...owned(
    RESTRICTED,
    "*.securityContext",
    "*.containerSecurityContext",
    "server.*.containerSecurityContext",
  ),
  ...owned(
    "set temporal.roles instead: Postgres' connections are counted from it",
    "server.replicaCount",
    "server.*.replicaCount",
  ),
  ...owned("set temporal.roles instead", "server.resources", "server.*.resources"),
  ...owned("every role is needed; remove it", "server.enabled", "server.*.enabled"),
  ...owned("its ports are in no NetworkPolicy; remove it", "server.internal-frontend"),
  ...owned("set temporal.ui instead", "web.enabled", "web.replicaCount", "web.resources", "web.ingress"),
  ...owned("set temporal.ui.env or temporal.ui.envSecret instead", "web.additionalEnv*"),
  ...owned(
    INTERNAL,
    "server.frontend.ingress",
    "server.*.service.type",
    "web.service.type",
    "admintools.service.type",
  ),
  ...owned(
    "NetworkPolicies and workers know the ports; remove it",
    "server.*.service.port",
    "server.*.service.httpPort",
    "server.*.service.membershipPort",
    "server.*.service.nodePort",
  ),
  ...owned(
    "the database keeps what it began with; set temporal.historyShards, temporal.databaseConnections and postgres instead",
    "server.config.persistence",
  ),
  ...owned("set temporal.cluster instead: it can never change", "server.config.clusterMetadata"),
  ...owned("set temporal.namespaces instead", "server.config.namespaces"),
  ...owned("set temporal.logLevel instead", "server.config.logLevel"),
  ...owned("set temporal.dynamicConfig instead", "server.dynamicConfig"),
  ...owned("set temporal.shutdown instead", "server.terminationGracePeriodSeconds"),
  ...owned("a changed password must roll the pods; remove it", "server.podAnnotations.temporal-stack/*"),
];

/** Lists of the chart to which an opening adds: what the program has in them stays. */
const ADDED = /^additional(Volumes|VolumeMounts|Env|InitContainers)$/;

/** Further values of the Temporal chart. */
export const chartValues = z
  .record(z.string(), z.unknown(), ifWrongType("a mapping of the chart's values"))
  .check(({ value, issues }) => {
    issues.push(...ownedProblems(value, OWNED), ...contentProblems(value, []));
  })
  .default({})
  .describe(
    "Further values of the Temporal chart, merged over those that the program sets; `additional...` lists are added to. What would undo a promise of the stack is refused.",
  );

/** What is wrong with labels, volumes, containers and texts, wherever the chart takes them. */
function contentProblems(value: unknown, path: (string | number)[]): ReturnType<typeof rule>[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => contentProblems(item, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    const below = (problems: ReturnType<typeof rule>[]) =>
      problems.map((problem) => ({ ...problem, path: [...here, ...problem.path] }));
    if (/^(pod|additional)Labels$/.test(key) && isMapping(inner)) return below(reservedLabelProblems(inner));
    if (key === "additionalVolumes" && Array.isArray(inner))
      return below(volumeProblems(inner, ["postgres-ca"]));
    if (key === "additionalInitContainers" && Array.isArray(inner))
      return below(containerProblems(inner, [], mountableIn(value)));
    if (key === "additionalEnv" && Array.isArray(inner)) return below(plainSecrets(inner));
    if (isPlainSecret(key, inner)) return [plainSecret(here)];
    return contentProblems(inner, here);
  });
}

function mountableIn(part: Mapping): string[] {
  const volumes = part["additionalVolumes"];
  return Array.isArray(volumes)
    ? volumes.flatMap((volume) => (isMapping(volume) ? [String(volume["name"])] : []))
    : [];
}

const plainSecret = (path: (string | number)[]) =>
  rule(
    "looks like a secret, but Helm keeps values in plain text; make a Secret and refer to it by name",
    path,
  );

/** `apiKey` is `API_KEY`; a name of something is none. */
const isPlainSecret = (key: string, value: unknown): boolean =>
  typeof value === "string" &&
  value !== "" &&
  looksSecret(key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase());

function plainSecrets(variables: readonly unknown[]) {
  return variables.flatMap((variable, index) =>
    isMapping(variable) && isPlainSecret(String(variable["name"]), variable["value"])
      ? [plainSecret([index, "value"])]
      : [],
  );
}

/** Lays further values over the program's own. */
export const withChartValues = (values: Mapping, further: Mapping): Mapping => merge(values, further, ADDED);
