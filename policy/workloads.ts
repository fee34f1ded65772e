import { releaseWorkloads } from "./chartWorkloads";
import { isControlled, type Subject } from "./subject";
import { at, listAt, mappingAt, UNKNOWN } from "./values";
import type { Workload } from "./workload";

/** Where a kind keeps the template of its pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  Pod: [],
};

const SHORT_LIVED = ["Job", "CronJob", "Pod"];

/** The pods that a subject makes. */
export function workloadsOf(subject: Subject): readonly Workload[] {
  if (subject.kind === "Release") return releaseWorkloads(subject);
  if (subject.kind === "Cluster" && isCloudNativePg(subject)) return [postgresWorkload(subject)];
  const path = TEMPLATES[subject.kind ?? ""];
  if (path === undefined || at(subject.object, ...path, "spec") === UNKNOWN) return [];
  return [ownWorkload(subject, path)];
}

function isCloudNativePg({ object }: Subject): boolean {
  return String(object["apiVersion"]).startsWith("postgresql.cnpg.io/");
}

function ownWorkload(subject: Subject, path: readonly string[]): Workload {
  const { object, kind = "" } = subject;
  const spec = mappingAt(object, ...path, "spec");
  return {
    subject,
    part: undefined,
    longRunning: !SHORT_LIVED.includes(kind),
    controlled: isControlled(object),
    namespace: at(object, "metadata", "namespace"),
    labels: at(object, ...path, "metadata", "labels"),
    replicas: at(object, "spec", "replicas"),
    spec,
    containers: [...listAt(spec, "initContainers"), ...listAt(spec, "containers")],
    hidden: kind === "DaemonSet" ? ["replicas", "spread", "budget"] : [],
  };
}

/** The operator decides about accounts, probes and security, and does so well; the rest is the Cluster's. */
function postgresWorkload(subject: Subject): Workload {
  const { object } = subject;
  const name = at(object, "metadata", "name");
  const affinity = at(object, "spec", "affinity", "enablePodAntiAffinity") !== false;
  return {
    subject,
    part: undefined,
    longRunning: true,
    controlled: false,
    namespace: at(object, "metadata", "namespace"),
    labels: name === UNKNOWN ? UNKNOWN : { "cnpg.io/cluster": name, "cnpg.io/podRole": "instance" },
    replicas: at(object, "spec", "instances"),
    spec: {
      terminationGracePeriodSeconds: at(object, "spec", "stopDelay"),
      ...(affinity ? { affinity: { podAntiAffinity: {} } } : {}),
    },
    containers: [
      {
        name: "postgres",
        image: at(object, "spec", "imageName"),
        resources: at(object, "spec", "resources"),
      },
    ],
    budget: at(object, "spec", "enablePDB") !== false,
    hidden: ["security", "account", "readiness", "liveness", "volumes"],
  };
}
