import { at, textAt } from "./values";

/**
 * Kinds of Kubernetes itself that have no namespace, by API group: `kubectl api-resources --namespaced=false` of
 * 1.34, without those that only ask a question.
 */
const CLUSTER_WIDE: Readonly<Record<string, readonly string[]>> = {
  "": ["ComponentStatus", "Namespace", "Node", "PersistentVolume"],
  "admissionregistration.k8s.io": [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
  ],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
  "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
  "networking.k8s.io": ["IngressClass", "IPAddress", "ServiceCIDR"],
  "node.k8s.io": ["RuntimeClass"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "resource.k8s.io": ["DeviceClass", "DeviceTaintRule", "ResourceSlice"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
};

/**
 * Names by which other API groups tell that a kind has no namespace: `ClusterIssuer`, `ClusterSecretStore`,
 * `ClusterImageCatalog`; `GatewayClass`, `VolumeSnapshotClass`.
 */
const CLUSTER_WIDE_NAME = /^Cluster[A-Z]|Class$/;
/** Cluster API keeps everything in namespaces, whatever it is called. */
const NAMESPACED_GROUP = /(^|\.)cluster\.x-k8s\.io$/;

/** Whether objects of this kind have no namespace. */
export function isClusterWide(object: unknown, kind: string): boolean {
  const version = textAt(object, "apiVersion");
  // What no manifest says, the name of the resource's type does: all kinds of Kubernetes itself have different ones.
  if (version === undefined) return Object.values(CLUSTER_WIDE).some((kinds) => kinds.includes(kind));
  const group = version.includes("/") ? version.replace(/\/.*/, "") : "";
  const known = CLUSTER_WIDE[group];
  if (known !== undefined) return known.includes(kind);
  return !NAMESPACED_GROUP.test(group) && CLUSTER_WIDE_NAME.test(kind);
}

/** Whether an object lies in the namespace that nobody chose. */
export function isInDefault(object: unknown, kind: string): boolean {
  const namespace = at(object, "metadata", "namespace") ?? "default";
  return namespace === "default" && !isClusterWide(object, kind);
}
