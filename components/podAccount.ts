import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { imagePullSecrets } from "./manifests/imagePull";
import type { Labels } from "./manifests/labels";
import type { Settings } from "../settings/settings";

interface Metadata {
  readonly name?: string;
  readonly namespace: pulumi.Input<string>;
  readonly labels: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Secrets with which some pods pull their images. */
export const pullSecretsOf = (
  settings: Pick<Settings, "imagePull">,
  own: pulumi.Input<string> | undefined,
): { readonly name: pulumi.Input<string> }[] => [
  ...(own === undefined ? [] : [{ name: own }]),
  ...imagePullSecrets(settings),
];

/**
 * The ServiceAccount of some pods. It hands out no token, and pulls with the logins that hold for every image.
 * @param ownPullSecret one more Secret, for the image of these pods alone
 */
export function podAccount(
  name: string,
  settings: Pick<Settings, "imagePull">,
  metadata: Metadata,
  opts: pulumi.CustomResourceOptions,
  ownPullSecret?: pulumi.Input<string>,
): k8s.core.v1.ServiceAccount {
  const secrets = pullSecretsOf(settings, ownPullSecret);
  return new k8s.core.v1.ServiceAccount(
    name,
    {
      metadata,
      automountServiceAccountToken: false,
      ...(secrets.length === 0 ? {} : { imagePullSecrets: secrets }),
    },
    opts,
  );
}
