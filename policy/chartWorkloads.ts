import { SERVER_ROLES } from "../settings/temporal";
import type { Subject } from "./subject";
import { at, isSet, listAt, mappingAt, UNKNOWN } from "./values";
import type { Workload } from "./workload";

/*
 * Objects inside a Helm release are invisible to a policy pack, its values are not. What the values of our
 * charts say about pods is therefore read as pods: a value that is missing is missing in the pod.
 */

/** The pods that a release makes; none for a chart whose values nobody can read. */
export function releaseWorkloads(subject: Subject): readonly Workload[] {
  if (at(subject.object, "chart") === "temporal") return temporalWorkloads(subject);
  if (at(subject.object, "chart") === "cloudnative-pg") return [operatorWorkload(subject)];
  if (at(subject.object, "chart") === "plugin-barman-cloud") return [backupPluginWorkload(subject)];
  if (at(subject.object, "chart") === "cert-manager") return certManagerWorkloads(subject);
  return [];
}

interface Part {
  readonly part: string;
  readonly component: string;
  readonly image: unknown;
  readonly replicas: unknown;
  /** Values of the part itself. */
  readonly values: unknown;
  /** Where the pod's security context is. */
  readonly pod: unknown;
  readonly volumes: unknown;
  readonly budget?: unknown;
  readonly longRunning: boolean;
  readonly hidden: Workload["hidden"];
}

function temporalWorkloads(subject: Subject): readonly Workload[] {
  const values = at(subject.object, "values");
  if (values === UNKNOWN) return [];
  const server = at(values, "server");
  const web = at(values, "web");
  const roles = SERVER_ROLES.map((role) => ({
    part: role,
    component: role,
    image: at(server, "image"),
    replicas: at(server, role, "replicaCount") ?? at(server, "replicaCount"),
    values: at(server, role),
    pod: server,
    volumes: at(server, "additionalVolumes"),
    budget: isSet(at(server, role, "podDisruptionBudget")),
    longRunning: true,
    // The chart brings probes of the port for calls. The worker has none: its readiness is the values' to say, and
    // nothing can give it a liveness probe.
    hidden:
      role === "worker"
        ? (["account", "liveness"] as const)
        : (["account", "readiness", "liveness"] as const),
  }));
  const pages = {
    part: "web",
    component: "web",
    image: at(web, "image"),
    replicas: at(web, "replicaCount"),
    values: web,
    pod: web,
    volumes: at(web, "additionalVolumes"),
    budget: isSet(at(web, "podDisruptionBudget")),
    longRunning: true,
    hidden: ["account", "readiness", "liveness"] as const,
  };
  const tools = {
    part: "admintools",
    component: "admintools",
    image: at(values, "admintools", "image"),
    // A pod for people to type commands in: nobody misses it for a moment.
    replicas: undefined,
    values: at(values, "admintools"),
    pod: at(values, "admintools"),
    volumes: at(values, "admintools", "additionalVolumes"),
    longRunning: true,
    hidden: ["account", "readiness", "liveness", "replicas", "spread", "budget"] as const,
  };
  const schema = {
    part: "schema",
    component: "database",
    image: at(values, "admintools", "image"),
    replicas: undefined,
    values: at(values, "schema"),
    pod: at(values, "schema"),
    volumes: undefined,
    longRunning: false,
    hidden: ["account"] as const,
  };
  const enabled = at(web, "enabled") === false ? [] : [pages];
  return [...roles, ...enabled, tools, schema].map((part) => partWorkload(subject, part));
}

function partWorkload(subject: Subject, part: Part): Workload {
  const grace =
    at(part.values, "terminationGracePeriodSeconds") ?? at(part.pod, "terminationGracePeriodSeconds");
  const initContainers = listAt(part.pod, "additionalInitContainers");
  return {
    subject,
    part: part.part,
    longRunning: part.longRunning,
    controlled: false,
    namespace: at(subject.object, "namespace"),
    labels: {
      "app.kubernetes.io/name": "temporal",
      "app.kubernetes.io/instance": at(subject.object, "name"),
      "app.kubernetes.io/component": part.component,
    },
    replicas: part.replicas,
    spec: {
      securityContext: at(part.pod, "securityContext"),
      terminationGracePeriodSeconds: grace,
      topologySpreadConstraints: at(part.values, "topologySpreadConstraints"),
      affinity: at(part.values, "affinity"),
      volumes: part.volumes,
      initContainers,
    },
    containers: [
      {
        name: part.part,
        image: imageOf(part.image),
        resources: at(part.values, "resources"),
        securityContext: at(part.values, "containerSecurityContext"),
        readinessProbe: at(part.values, "readinessProbe") ?? at(part.pod, "readinessProbe"),
        env: [...new Set([part.pod, part.values])].flatMap((values) => listAt(values, "additionalEnv")),
      },
      ...initContainers,
    ],
    budget: part.budget,
    hidden: part.hidden,
  };
}

/** What an operator's chart says of one of its Deployments. */
interface OperatorPart {
  readonly part?: string;
  /** `app.kubernetes.io/name` of its pods. */
  readonly name: string;
  readonly container: string;
  /** Values of the part. */
  readonly values: unknown;
  readonly image: unknown;
  readonly podSecurityContext: unknown;
  /** What is not visible beside what no such chart shows. */
  readonly hidden?: Workload["hidden"];
}

/** The charts' own security contexts are as strict as ours: only values that change them are judged. */
function operatorPart(
  subject: Subject,
  { part, name, container, values, image, podSecurityContext, hidden = [] }: OperatorPart,
): Workload {
  const securityContext = at(values, "containerSecurityContext");
  return {
    subject,
    part,
    longRunning: true,
    controlled: false,
    namespace: at(subject.object, "namespace"),
    labels: {
      "app.kubernetes.io/name": name,
      "app.kubernetes.io/instance": at(subject.object, "name"),
    },
    replicas: at(values, "replicaCount"),
    spec: mappingAt({
      securityContext: podSecurityContext,
      topologySpreadConstraints: at(values, "topologySpreadConstraints"),
      affinity: at(values, "affinity"),
    }),
    containers: [{ name: container, image, resources: at(values, "resources"), securityContext }],
    hidden: [
      "account",
      "readiness",
      "liveness",
      ...hidden,
      ...(isSet(securityContext) ? [] : (["security"] as const)),
    ],
  };
}

function operatorWorkload(subject: Subject): Workload {
  const values = at(subject.object, "values");
  return operatorPart(subject, {
    name: "cloudnative-pg",
    container: "manager",
    values,
    image: imageOf(at(values, "image")),
    podSecurityContext: at(values, "podSecurityContext"),
  });
}

/** One pod by design; backups and the archive wait for another one, and lose nothing. */
function backupPluginWorkload(subject: Subject): Workload {
  const values = at(subject.object, "values");
  const { registry, ...image } = mappingAt(values, "image");
  const repository = [registry, image["repository"]].filter(isSet).join("/");
  return operatorPart(subject, {
    name: "plugin-barman-cloud",
    container: "barman-cloud",
    values,
    image: imageOf({ ...image, repository }),
    podSecurityContext: at(values, "podSecurityContext"),
    hidden: ["replicas", "spread", "budget"],
  });
}

function certManagerWorkloads(subject: Subject): readonly Workload[] {
  const values = at(subject.object, "values");
  if (values === UNKNOWN) return [];
  const parts = { controller: values, webhook: at(values, "webhook"), cainjector: at(values, "cainjector") };
  return Object.entries(parts).map(([part, own]) => ({
    ...operatorPart(subject, {
      part,
      name: part === "controller" ? "cert-manager" : part,
      container: part,
      values: own,
      image: imageOf(at(own, "image")),
      podSecurityContext: at(own, "securityContext"),
    }),
    budget: at(own, "podDisruptionBudget", "enabled") === true,
  }));
}

/** `repository:tag` of a chart's two values. */
function imageOf(image: unknown): unknown {
  const [repository, tag] = [at(image, "repository"), at(image, "tag")];
  if (repository === UNKNOWN || tag === UNKNOWN) return UNKNOWN;
  if (typeof repository !== "string") return undefined;
  return typeof tag === "string" ? `${repository}:${tag}` : repository;
}
