import { isMapping } from "../../settings/mapping";
import { containerRule, EVERYWHERE, kindRule, podRule } from "../rule";
import { at, listAt, maybe, someMay, UNKNOWN } from "../values";
import type { Workload } from "../workload";

/** What a container's security context says, else its pod's. */
function setting(container: unknown, { spec }: Workload, key: string): unknown {
  return at(container, "securityContext", key) ?? at(spec, "securityContext", key);
}

const secures = ({ hidden }: Workload) => !hidden.includes("security");

export const podSecurityRules = [
  containerRule(
    {
      id: "non-root",
      title: "Containers run as a user that is not root.",
      reason: "Root in a container is root on the node as soon as anything lets it out.",
      fix: "set runAsNonRoot: true and a runAsUser above 0 in the pod's securityContext",
      levels: EVERYWHERE,
    },
    (container, workload) => {
      if (!secures(workload)) return undefined;
      if (at(container, "securityContext", "runAsUser") === 0) return "runs as user 0";
      if (setting(container, workload, "runAsUser") === 0) return "runs as user 0";
      return maybe(setting(container, workload, "runAsNonRoot"), true) ? undefined : "may run as root";
    },
  ),
  containerRule(
    {
      id: "no-privileges",
      title: "Containers are not privileged and cannot gain privileges.",
      reason: "A privileged container owns its node; a setuid program gives root back to a user.",
      fix: "set allowPrivilegeEscalation: false, and remove privileged: true",
      levels: EVERYWHERE,
    },
    (container, workload) => {
      if (at(container, "securityContext", "privileged") === true) return "is privileged";
      if (!secures(workload)) return undefined;
      const escalation = at(container, "securityContext", "allowPrivilegeEscalation");
      return maybe(escalation, false) ? undefined : "may gain privileges";
    },
  ),
  containerRule(
    {
      id: "no-capabilities",
      title: "Containers drop all Linux capabilities.",
      reason: "The default set lets a process forge network packets and change the owner of files.",
      fix: "set capabilities.drop: [ALL]; add back at most NET_BIND_SERVICE",
      levels: EVERYWHERE,
    },
    (container, workload) => {
      const capabilities = at(container, "securityContext", "capabilities");
      const added = listAt(capabilities, "add").filter((name) => name !== "NET_BIND_SERVICE");
      if (added.length > 0) return "adds capabilities";
      const dropsAll = someMay(at(capabilities, "drop"), (name) => name === "ALL");
      return !secures(workload) || dropsAll ? undefined : "keeps capabilities";
    },
  ),
  containerRule(
    {
      id: "read-only-root",
      title: "Containers cannot write to their root file system.",
      reason: "Whoever breaks in cannot replace programs or leave any behind.",
      fix: "set readOnlyRootFilesystem: true, and mount an emptyDir where the program writes",
      levels: EVERYWHERE,
    },
    (container, workload) =>
      !secures(workload) || maybe(at(container, "securityContext", "readOnlyRootFilesystem"), true)
        ? undefined
        : "may write to its root file system",
  ),
  containerRule(
    {
      id: "seccomp",
      title: "Containers run with the runtime's seccomp profile.",
      reason: "Without one every system call of the kernel can be attacked.",
      fix: "set seccompProfile.type: RuntimeDefault in the pod's securityContext",
      levels: EVERYWHERE,
    },
    (container, workload) => {
      const profile = setting(container, workload, "seccompProfile");
      const kind = at(profile, "type");
      const isKept = kind === UNKNOWN || kind === "RuntimeDefault" || kind === "Localhost";
      return !secures(workload) || isKept ? undefined : "has no seccomp profile";
    },
  ),
  podRule(
    {
      id: "no-host-access",
      title: "Pods share no network, processes, ports or memory with their node.",
      reason: "On the node's network NetworkPolicies do not hold, and every local service is in reach.",
      fix: "remove hostNetwork, hostPID, hostIPC and hostPort; publish ports by a Service",
      levels: EVERYWHERE,
    },
    ({ spec, containers }) => [
      ...["hostNetwork", "hostPID", "hostIPC"]
        .filter((key) => spec[key] === true)
        .map((key) => `sets ${key}`),
      ...containers
        .flatMap((container) => listAt(container, "ports"))
        .filter((port) => typeof at(port, "hostPort") === "number")
        .map(() => "opens a port of the node"),
    ],
  ),
  podRule(
    {
      id: "no-host-path",
      title: "Pods mount no folder of their node.",
      reason:
        "A folder of the node leads out of the container, and its data stays behind when the pod moves.",
      fix: "use a PersistentVolumeClaim, emptyDir, ConfigMap or Secret",
      levels: EVERYWHERE,
    },
    ({ spec }) =>
      listAt(spec, "volumes")
        .filter((volume) => isMapping(volume) && volume["hostPath"] !== undefined)
        .map(() => "mounts a folder of the node"),
  ),
  podRule(
    {
      id: "service-account",
      title: "Pods run as a ServiceAccount of their own.",
      reason: "Rights that anybody gives to `default` are given to every pod that names no other.",
      fix: "make a ServiceAccount for the pods and set serviceAccountName",
      levels: EVERYWHERE,
    },
    ({ spec, hidden }) => {
      if (hidden.includes("account")) return [];
      const name = spec["serviceAccountName"];
      if (!(name === undefined || name === "" || name === "default")) return [];
      return ["runs as the ServiceAccount default"];
    },
  ),
  kindRule(
    {
      id: "restricted-namespace",
      title: "Namespaces enforce Pod Security `restricted`.",
      reason: "The API server then refuses what slips past the program, like a pod made by hand.",
      fix: "set the label pod-security.kubernetes.io/enforce: restricted",
      levels: EVERYWHERE,
    },
    ["Namespace"],
    (object) =>
      maybe(at(object, "metadata", "labels", "pod-security.kubernetes.io/enforce"), "restricted")
        ? []
        : ["does not enforce restricted"],
  ),
];
