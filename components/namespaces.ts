import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpNamespace } from "./clusterLookup";
import { ownershipGuard } from "./guards/namespaceOwnership";
import { ownNamespaces } from "./manifests/flows";
import { STACK_ID_LABEL, stackLabels } from "./manifests/labels";
import { RESTRICTED_NAMESPACE } from "./manifests/podSecurity";
import { dataOptions } from "./protection";
import type { Settings } from "../settings/settings";

/** Inputs of {@link StackNamespaces}. */
export interface StackNamespacesArgs {
  readonly settings: Settings;
  /** Random id of the stack, by which the namespaces are known as its own. */
  readonly stackId: pulumi.Input<string>;
}

/** Fields of a namespace that is taken over belong to whoever made it: the API server would refuse another id. */
const takenOver = ({ namespaces }: Settings, namespace: string) =>
  namespaces.adopt.includes(namespace) ? { annotations: { "pulumi.com/patchForce": "true" } } : {};

/** The namespaces that the stack makes; they admit only pods that meet Pod Security `restricted`. */
export class StackNamespaces extends pulumi.ComponentResource {
  readonly #created = new Map<string, pulumi.Output<string>>();

  constructor(
    name: string,
    { settings, stackId }: StackNamespacesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:StackNamespaces", name, {}, opts);
    const labels = { ...stackLabels(settings), ...RESTRICTED_NAMESPACE, [STACK_ID_LABEL]: stackId };
    for (const namespace of ownNamespaces(settings)) {
      const resource = new k8s.core.v1.Namespace(
        `${name}-${namespace}`,
        { metadata: { name: namespace, labels, ...takenOver(settings, namespace) } },
        {
          parent: this,
          ...dataOptions(settings),
          hooks: ownershipGuard(settings, namespace, (name) => lookUpNamespace(settings, name)),
        },
      );
      this.#created.set(namespace, resource.metadata.name);
    }
    this.registerOutputs({ namespaces: [...this.#created.keys()] });
  }

  /**
   * The name of one of the namespaces, known once it exists.
   * @throws pulumi.ResourceError if the stack does not make it
   */
  named(namespace: string): pulumi.Output<string> {
    const created = this.#created.get(namespace);
    if (created !== undefined) return created;
    throw new pulumi.ResourceError(
      `the stack makes no namespace "${namespace}", only ${[...this.#created.keys()].join(", ")}`,
      this,
    );
  }
}
