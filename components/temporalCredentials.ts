import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "./manifests/labels";
import { ownCredentials } from "./manifests/temporalCredentialsManifests";
import type { Settings } from "../settings/settings";

/** Inputs of {@link TemporalCredentials}. */
export interface TemporalCredentialsArgs {
  readonly settings: Settings;
  /** Namespace of the workers. */
  readonly namespace: pulumi.Input<string>;
}

/** What workers connect to an external Temporal with, as far as it is in the settings: one Secret. */
export class TemporalCredentials extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: pulumi.Output<string>;
  /** Changes with the content, and says nothing about it. Goes into pod templates: the Secret changes in place. */
  readonly checksum: pulumi.Output<string>;

  constructor(
    name: string,
    { settings, namespace }: TemporalCredentialsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:TemporalCredentials", name, {}, opts);
    const content = pulumi.secret(ownCredentials(settings.temporal));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      { metadata: { namespace, labels: stackLabels(settings) }, type: "Opaque", stringData: content },
      { parent: this },
    );
    this.secretName = secret.metadata.name;
    this.checksum = pulumi.unsecret(
      content.apply((all) =>
        createHash("sha256")
          .update(JSON.stringify(Object.entries(all).sort()))
          .digest("hex"),
      ),
    );
    this.registerOutputs({ secretName: this.secretName });
  }
}

/** The credentials of a stack whose settings hold some; undefined for all others. */
export function temporalCredentials(
  settings: Settings,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): TemporalCredentials | undefined {
  return Object.keys(ownCredentials(settings.temporal)).length === 0
    ? undefined
    : new TemporalCredentials("temporal-credentials", { settings, namespace }, opts);
}
