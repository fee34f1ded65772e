import type { types } from "@pulumi/kubernetes";

type PodSecurityContext = types.input.core.v1.PodSecurityContext;
type SecurityContext = types.input.core.v1.SecurityContext;

/** Labels of namespaces that Pod Security reads. */
export const POD_SECURITY_PREFIX = "pod-security.kubernetes.io/";

/** Labels that make a namespace refuse every pod that is not `restricted`. */
export const RESTRICTED_NAMESPACE = {
  [`${POD_SECURITY_PREFIX}enforce`]: "restricted",
  [`${POD_SECURITY_PREFIX}audit`]: "restricted",
  [`${POD_SECURITY_PREFIX}warn`]: "restricted",
} as const;

/**
 * Pod-level half of Pod Security `restricted`.
 * @param id uid and gid of the processes, and group of the mounted volumes
 */
export function restrictedPod(id: number): PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: id,
    runAsGroup: id,
    fsGroup: id,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Container-level half of Pod Security `restricted`, with a read-only root file system on top. */
export function restrictedContainer(): SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    privileged: false,
    readOnlyRootFilesystem: true,
  };
}
