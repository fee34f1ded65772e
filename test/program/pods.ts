import type { Labels } from "../../components/manifests/labels";
import type { Deployment, Values } from "../harness";
import { at, listAt, mappingAt, objectsOf } from "./stack";

/** The pods of one workload. */
export interface Pod {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Undefined where a chart or an operator makes the pods. */
  readonly spec: Values | undefined;
  /** Ports on which its containers listen. */
  readonly ports: readonly number[];
  isSelectedBy(matchLabels: Values): boolean;
}

/** Where the pods' template is in a workload. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** The pods that a deployment runs, those of charts and of CloudNativePG included. */
export function podsOf(deployment: Deployment): Pod[] {
  const own = objectsOf(deployment).flatMap(({ registration, kind, inputs }) => {
    const path = TEMPLATES[kind];
    if (path === undefined) return [];
    const labels = labelsAt(inputs, ...path, "metadata", "labels");
    const spec = mappingAt(inputs, ...path, "spec");
    const ports = listAt(spec, "containers").flatMap((container) =>
      listAt(container, "ports").map((port) => Number(at(port, "containerPort"))),
    );
    return [
      pod({
        name: registration.name,
        kind,
        namespace: String(at(inputs, "metadata", "namespace")),
        labels,
        spec,
        ports,
      }),
    ];
  });
  return [...own, ...chartPods(deployment), ...instancePods(deployment)];
}

/** Components of the Temporal chart, and the ports of their pods. */
const SERVER_PORTS: Readonly<Record<string, readonly number[]>> = {
  frontend: [7233, 6933, 7243, 9090],
  history: [7234, 6934, 9090],
  matching: [7235, 6935, 9090],
  worker: [6939, 9090],
  web: [8080],
  admintools: [],
  database: [],
};

/** Parts of cert-manager, and the ports of their pods. */
const CERT_MANAGER_PORTS: Readonly<Record<string, readonly number[]>> = {
  "cert-manager": [9402, 9403],
  webhook: [10250, 6080, 9402],
  cainjector: [9402],
  startupapicheck: [],
};

/** Pods of the official charts, with the labels and ports that they give them. */
function chartPods({ registrations }: Deployment): Pod[] {
  return registrations
    .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
    .flatMap(({ inputs }) => {
      const namespace = String(inputs["namespace"]);
      const instance = String(inputs["name"]);
      const labels = {
        "app.kubernetes.io/name": String(inputs["chart"]),
        "app.kubernetes.io/instance": instance,
      };
      if (inputs["chart"] === "cloudnative-pg") {
        return [
          pod({ name: "operator", kind: "Release", namespace, labels, spec: undefined, ports: [9443, 8080] }),
        ];
      }
      if (inputs["chart"] === "plugin-barman-cloud") {
        return [
          pod({
            name: "backup-plugin",
            kind: "Release",
            namespace,
            labels,
            spec: undefined,
            ports: [9090, 8081],
          }),
        ];
      }
      if (inputs["chart"] === "cert-manager") {
        return Object.entries(CERT_MANAGER_PORTS).map(([name, ports]) =>
          pod({
            name,
            kind: "Release",
            namespace,
            labels: { ...labels, "app.kubernetes.io/name": name },
            spec: undefined,
            ports,
          }),
        );
      }
      return Object.entries(SERVER_PORTS).map(([component, ports]) =>
        pod({
          name: component,
          kind: "Release",
          namespace,
          labels: { ...labels, "app.kubernetes.io/component": component },
          spec: undefined,
          ports,
        }),
      );
    });
}

/** Postgres instances, and the jobs that make them, which have one label in common. */
function instancePods(deployment: Deployment): Pod[] {
  return objectsOf(deployment, "Cluster").flatMap(({ inputs }) => {
    const cluster = { "cnpg.io/cluster": String(at(inputs, "metadata", "name")) };
    const instance = {
      kind: "Cluster",
      namespace: String(at(inputs, "metadata", "namespace")),
      spec: undefined,
      ports: [5432, 8000, 9187],
    };
    return [
      pod({ ...instance, name: "instance", labels: { ...cluster, "cnpg.io/podRole": "instance" } }),
      pod({ ...instance, name: "initdb", labels: { ...cluster, "cnpg.io/jobRole": "initdb" } }),
    ];
  });
}

function pod(properties: Omit<Pod, "isSelectedBy">): Pod {
  return {
    ...properties,
    isSelectedBy: (matchLabels) =>
      Object.entries(matchLabels).every(([key, value]) => properties.labels[key] === value),
  };
}

function labelsAt(value: unknown, ...path: string[]): Labels {
  return Object.fromEntries(
    Object.entries(mappingAt(value, ...path)).map(([key, text]) => [key, String(text)]),
  );
}

/** Jobs that talk to the API server, and so need a token. */
const WITH_TOKEN = ["postgres-operator-gate"];

/** What keeps a pod from Pod Security `restricted`, and from the stricter rules of this project. */
export function restrictedProblems({ name, kind, spec }: Pod): string[] {
  if (spec === undefined) return [];
  const problems: string[] = [];
  const demand = (holds: boolean, text: string) => {
    if (!holds) problems.push(text);
  };
  const pod = mappingAt(spec, "securityContext");
  demand(pod["runAsNonRoot"] === true && Number(pod["runAsUser"]) > 0, "runs as root");
  demand(at(pod, "seccompProfile", "type") === "RuntimeDefault", "no seccomp profile");
  demand(spec["automountServiceAccountToken"] === WITH_TOKEN.includes(name), "mounts a token");
  for (const key of ["hostNetwork", "hostPID", "hostIPC"]) demand(spec[key] === undefined, key);
  for (const volume of listAt(spec, "volumes")) {
    const kind = Object.keys(mappingAt(volume))
      .filter((key) => key !== "name")
      .join();
    demand(
      ["secret", "emptyDir", "persistentVolumeClaim", "configMap", "projected"].includes(kind),
      `volume ${kind}`,
    );
  }
  for (const container of [...listAt(spec, "containers"), ...listAt(spec, "initContainers")]) {
    const context = mappingAt(container, "securityContext");
    demand(context["allowPrivilegeEscalation"] === false, "privilege escalation");
    demand(context["privileged"] !== true, "privileged");
    demand(listAt(context, "capabilities", "drop").includes("ALL"), "capabilities");
    demand(context["readOnlyRootFilesystem"] === true, "writable root file system");
    demand(at(container, "resources", "requests", "memory") !== undefined, "no memory request");
    demand(at(container, "resources", "limits", "memory") !== undefined, "no memory limit");
    const probes = kind === "Deployment" ? ["startupProbe", "readinessProbe", "livenessProbe"] : [];
    for (const probe of probes) {
      demand(at(container, probe) !== undefined, `no ${probe}`);
    }
    demand(
      listAt(container, "ports").every((port) => at(port, "hostPort") === undefined),
      "host port",
    );
  }
  return problems;
}
