import type { types } from "@pulumi/kubernetes";
import { kubernetesPart, kubernetesParts } from "./kubernetesPart";
import { labelMap, objectName } from "./names";

/** Where pods run and what gives way to them, in Kubernetes' form. */
export const placementSettings = {
  nodeSelector: labelMap("node labels").optional().describe("Labels of the nodes that take the pods."),
  tolerations: kubernetesParts<types.input.core.v1.Toleration>("Toleration")
    .optional()
    .describe("Taints of nodes that the pods tolerate, in Kubernetes' form."),
  affinity: kubernetesPart<types.input.core.v1.Affinity>("Affinity")
    .optional()
    .describe("Affinity of the pods, in Kubernetes' form."),
  priorityClassName: objectName("the name of a priority class")
    .regex(/^(?!system-)/, {
      error: "the name of a priority class other than the cluster's own, system-...",
    })
    .optional()
    .describe("Priority class of the pods."),
};
