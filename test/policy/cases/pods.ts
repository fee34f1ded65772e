import {
  changed,
  CRON_JOB,
  declared,
  DEPLOYMENT,
  JOB,
  NAMESPACE,
  OPERATOR,
  RELEASE,
  release,
} from "../manifests";
import { type Case, one } from "./case";

const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers.0`;
const CONTEXT = `${CONTAINER}.securityContext`;
const good = [declared(DEPLOYMENT)];
const chart = [release(RELEASE)];
const inValues = (path: string, value: unknown) => [release(changed(RELEASE, `values.${path}`, value))];
const deployment = (path: string, value: unknown) => one(DEPLOYMENT, path, value);

/** Cases of images, pod security, probes and resources. */
export const podCases: Readonly<Record<string, Case>> = {
  "image-tag": {
    keeps: {
      "tag and digest": good,
      "a tag behind a registry's port": deployment(`${CONTAINER}.image`, "registry:5000/worker:1.2"),
      "a digest alone": deployment(`${CONTAINER}.image`, `worker@sha256:${"1".repeat(64)}`),
      "a chart's tags": chart,
    },
    breaks: {
      latest: deployment(`${CONTAINER}.image`, "registry:5000/worker:latest"),
      "no tag": deployment(`${CONTAINER}.image`, "registry:5000/worker"),
      "an init container": deployment(`${POD}.initContainers`, [{ name: "init", image: "busybox" }]),
      "a chart's value": inValues("server.image.tag", "latest"),
      "the operator's value": [release(changed(OPERATOR, "values.image.tag", undefined))],
    },
  },
  "image-digest": {
    keeps: { "tag and digest": good, chart },
    breaks: {
      "a tag alone": deployment(`${CONTAINER}.image`, "worker:1.2.3"),
      "a chart's tag": inValues("web.image.tag", "2.52.0"),
    },
  },
  "non-root": {
    keeps: {
      "by the pod": good,
      "by the container": deployment(`${CONTEXT}.runAsNonRoot`, true),
      chart,
      "the operator's own context": [release(OPERATOR)],
    },
    breaks: {
      "nothing said": deployment(`${POD}.securityContext.runAsNonRoot`, undefined),
      "user 0": deployment(`${POD}.securityContext.runAsUser`, 0),
      "user 0 in the container": deployment(`${CONTEXT}.runAsUser`, 0),
      "a chart's role": inValues("web.securityContext", undefined),
      "a schedule": one(CRON_JOB, "spec.jobTemplate.spec.template.spec.securityContext", {}),
    },
  },
  "no-privileges": {
    keeps: { neither: good, chart },
    breaks: {
      privileged: deployment(`${CONTEXT}.privileged`, true),
      escalation: deployment(`${CONTEXT}.allowPrivilegeEscalation`, undefined),
      "a chart's role": inValues("server.history.containerSecurityContext.allowPrivilegeEscalation", true),
      "the operator": [release(changed(OPERATOR, "values.containerSecurityContext", { privileged: true }))],
      "an init container of the chart": inValues("server.additionalInitContainers", [
        { name: "a", image: "a:1", securityContext: { privileged: true } },
      ]),
    },
  },
  "no-capabilities": {
    keeps: {
      none: good,
      "the one for low ports": deployment(`${CONTEXT}.capabilities.add`, ["NET_BIND_SERVICE"]),
    },
    breaks: {
      "the default set": deployment(`${CONTEXT}.capabilities`, undefined),
      "one more": deployment(`${CONTEXT}.capabilities.add`, ["NET_ADMIN"]),
    },
  },
  "read-only-root": {
    keeps: { "read only": good, chart },
    breaks: {
      "nothing said": deployment(`${CONTEXT}.readOnlyRootFilesystem`, undefined),
      "a chart's tools": inValues("admintools.containerSecurityContext.readOnlyRootFilesystem", false),
    },
  },
  seccomp: {
    keeps: {
      "by the pod": good,
      "by the container": deployment(`${CONTEXT}.seccompProfile`, { type: "Localhost" }),
    },
    breaks: {
      "nothing said": deployment(`${POD}.securityContext.seccompProfile`, undefined),
      unconfined: deployment(`${POD}.securityContext.seccompProfile.type`, "Unconfined"),
    },
  },
  "no-host-access": {
    keeps: { none: good },
    breaks: {
      network: deployment(`${POD}.hostNetwork`, true),
      processes: deployment(`${POD}.hostPID`, true),
      memory: deployment(`${POD}.hostIPC`, true),
      "a port": deployment(`${CONTAINER}.ports`, [{ containerPort: 80, hostPort: 80 }]),
    },
  },
  "no-host-path": {
    keeps: { "an emptyDir": good },
    breaks: {
      "a folder of the node": deployment(`${POD}.volumes`, [{ name: "run", hostPath: { path: "/run" } }]),
      "a chart's volume": inValues("server.additionalVolumes", [{ name: "run", hostPath: { path: "/run" } }]),
    },
  },
  "service-account": {
    keeps: { "its own": good, "one of a chart": chart },
    breaks: {
      none: deployment(`${POD}.serviceAccountName`, undefined),
      default: deployment(`${POD}.serviceAccountName`, "default"),
      "a job": one(JOB, `${POD}.serviceAccountName`, undefined),
    },
  },
  "restricted-namespace": {
    keeps: { restricted: [declared(NAMESPACE)] },
    breaks: {
      "nothing said": one(NAMESPACE, "metadata.labels", {}),
      baseline: one(NAMESPACE, "metadata.labels", { "pod-security.kubernetes.io/enforce": "baseline" }),
    },
  },
  "readiness-probe": {
    keeps: { "a probe": good, "a job has none": [declared(JOB)], "a chart brings its own": chart },
    breaks: {
      none: deployment(`${CONTAINER}.readinessProbe`, undefined),
      "the chart's role worker": inValues("server.worker.readinessProbe", undefined),
    },
  },
  "liveness-probe": {
    keeps: {
      "a probe": good,
      "an init container has none": deployment(`${POD}.initContainers`, [{ name: "init" }]),
    },
    breaks: { none: deployment(`${CONTAINER}.livenessProbe`, undefined) },
  },
  "resource-requests": {
    keeps: { both: good, chart },
    breaks: {
      none: deployment(`${CONTAINER}.resources`, undefined),
      "memory alone": deployment(`${CONTAINER}.resources.requests.cpu`, undefined),
      "a chart's role": inValues("server.matching.resources", {}),
    },
  },
  "memory-limit": {
    keeps: { "a limit": good, chart },
    breaks: {
      none: deployment(`${CONTAINER}.resources.limits`, undefined),
      "a job": one(JOB, `${CONTAINER}.resources.limits`, undefined),
      "a chart's role": inValues("schema.resources.limits", {}),
    },
  },
  "volume-limit": {
    keeps: { "a limit": good },
    breaks: { none: deployment(`${POD}.volumes`, [{ name: "tmp", emptyDir: {} }]) },
  },
  "bounded-grace": {
    keeps: { "a minute": good, "the default": deployment(`${POD}.terminationGracePeriodSeconds`, undefined) },
    breaks: {
      "a day": deployment(`${POD}.terminationGracePeriodSeconds`, 86400),
      "a chart's value": inValues("server.terminationGracePeriodSeconds", 7200),
    },
  },
  "job-deadline": {
    keeps: { "a job": [declared(JOB)], "a schedule": [declared(CRON_JOB)] },
    breaks: {
      "no deadline": one(JOB, "spec.activeDeadlineSeconds", undefined),
      "no limit of retries": one(JOB, "spec.backoffLimit", undefined),
      "a schedule that overlaps": one(CRON_JOB, "spec.concurrencyPolicy", undefined),
    },
  },
};
