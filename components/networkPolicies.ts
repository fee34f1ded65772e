import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ownNamespaces, stackFlows } from "./manifests/flows";
import { stackLabels } from "./manifests/labels";
import { networkPolicyManifests } from "./manifests/networkPoliciesManifests";
import type { StackNamespaces } from "./namespaces";
import type { Settings } from "../settings/settings";

/** Inputs of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  readonly settings: Settings;
  readonly namespaces: StackNamespaces;
}

/**
 * Closes every namespace of the stack in both directions and opens what `manifests/flows.ts` lists.
 * Policies work only where the cluster's network plugin enforces them.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, namespaces }: NetworkPoliciesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:NetworkPolicies", name, {}, opts);
    const manifests = networkPolicyManifests(ownNamespaces(settings), stackFlows(settings));
    for (const { name: policy, namespace, spec } of manifests) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policy}`,
        { metadata: { namespace: namespaces.named(namespace), labels: stackLabels(settings) }, spec },
        { parent: this },
      );
    }
    this.registerOutputs({ policies: manifests.length });
  }
}
