import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ciliumPolicyManifests } from "./manifests/ciliumPoliciesManifests";
import { ownNamespaces, stackFlows } from "./manifests/flows";
import { stackLabels } from "./manifests/labels";
import { networkPolicyManifests } from "./manifests/networkPoliciesManifests";
import type { StackNamespaces } from "./namespaces";
import type { Settings } from "../settings/settings";

const CILIUM_API = "cilium.io/v2";

/** Inputs of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  readonly settings: Settings;
  readonly namespaces: StackNamespaces;
}

/**
 * Closes every namespace of the stack in both directions and opens what `manifests/flows.ts` lists.
 * With `networkAccess.cilium`, Cilium's own policies open what NetworkPolicies cannot name there.
 * Policies work only where the cluster's network plugin enforces them.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, namespaces }: NetworkPoliciesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:NetworkPolicies", name, {}, opts);
    const [own, flows, labels] = [ownNamespaces(settings), stackFlows(settings), stackLabels(settings)];
    const cilium = ciliumPolicyManifests(own, flows).map(
      ({ name: policy, namespace, spec }) =>
        new k8s.apiextensions.CustomResource(
          `${name}-${policy}`,
          {
            apiVersion: CILIUM_API,
            kind: "CiliumNetworkPolicy",
            metadata: { namespace: namespaces.named(namespace), labels },
            spec,
          },
          { parent: this },
        ),
    );
    // First what opens by entity: a cluster without Cilium's types fails before any address is closed.
    const after = { parent: this, dependsOn: cilium };
    const standard = networkPolicyManifests(own, flows).map(
      ({ name: policy, namespace, spec }) =>
        new k8s.networking.v1.NetworkPolicy(
          `${name}-${policy}`,
          { metadata: { namespace: namespaces.named(namespace), labels }, spec },
          after,
        ),
    );
    this.registerOutputs({ policies: standard.length + cilium.length });
  }
}
