import type { Deployment, Values } from "../harness";
import { at, listAt, mappingAt, objectsOf } from "./stack";

/** The pods of one Deployment. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Values;
  readonly spec: Values;
  /** Ports on which its containers listen. */
  readonly ports: readonly number[];
  isSelectedBy(matchLabels: Values): boolean;
}

/** The pods that a deployment runs. */
export function podsOf(deployment: Deployment): Pod[] {
  return objectsOf(deployment, "Deployment").map(({ registration, inputs }) => {
    const labels = mappingAt(inputs, "spec", "template", "metadata", "labels");
    const spec = mappingAt(inputs, "spec", "template", "spec");
    return {
      name: registration.name,
      namespace: String(at(inputs, "metadata", "namespace")),
      labels,
      spec,
      ports: listAt(spec, "containers").flatMap((container) =>
        listAt(container, "ports").map((port) => Number(at(port, "containerPort"))),
      ),
      isSelectedBy: (matchLabels) =>
        Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
    };
  });
}

/** What keeps a pod from Pod Security `restricted`, and from the stricter rules of this project. */
export function restrictedProblems(spec: Values): string[] {
  const problems: string[] = [];
  const demand = (holds: boolean, text: string) => {
    if (!holds) problems.push(text);
  };
  const pod = mappingAt(spec, "securityContext");
  demand(pod["runAsNonRoot"] === true && Number(pod["runAsUser"]) > 0, "runs as root");
  demand(at(pod, "seccompProfile", "type") === "RuntimeDefault", "no seccomp profile");
  demand(spec["automountServiceAccountToken"] === false, "mounts a token");
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
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      demand(at(container, probe) !== undefined, `no ${probe}`);
    }
    demand(
      listAt(container, "ports").every((port) => at(port, "hostPort") === undefined),
      "host port",
    );
  }
  return problems;
}
