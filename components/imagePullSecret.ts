import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ownNamespaces } from "./manifests/flows";
import { dockerConfig, LOGIN_SECRET } from "./manifests/imagePull";
import { stackLabels } from "./manifests/labels";
import type { StackNamespaces } from "./namespaces";
import type { Settings } from "../settings/settings";
import { registryOf } from "./workerImage";

/** Inputs of {@link ImagePullSecret}. */
export interface ImagePullSecretArgs {
  readonly settings: Settings;
  /** Namespace of the pods that pull. */
  readonly namespace: pulumi.Input<string>;
  /** Host of the registry. */
  readonly server: string;
  readonly username: string;
  readonly password: pulumi.Input<string>;
  /** Name of the Secret, where others have to find it. */
  readonly secretName?: string;
}

/** A login for pulling images. A changed password changes it in place, and rolls nothing. */
export class ImagePullSecret extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: ImagePullSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:ImagePullSecret", name, {}, opts);
    const { settings, namespace, server, username, password, secretName } = args;
    const config = pulumi.output(password).apply((text) => dockerConfig(server, username, text));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { ...(secretName && { name: secretName }), namespace, labels: stackLabels(settings) },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": pulumi.secret(config) },
      },
      { parent: this },
    );
    this.secretName = secret.metadata.name;
    this.registerOutputs({ secretName: this.secretName });
  }
}

/**
 * The Secret with which the cluster pulls the worker image: the one that the settings name, or one made from
 * the login in them; undefined if the registry wants no login.
 */
export function imagePullSecret(
  settings: Settings,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> | undefined {
  const { existing, username, password } = settings.workerImage.pullSecret ?? {};
  if (existing !== undefined) return pulumi.output(existing);
  if (username === undefined || password === undefined) return undefined;
  const server = registryOf(settings.workerImage.repository);
  const args = { settings, namespace, server, username, password: password.reveal() };
  return new ImagePullSecret("image-pull", args, opts).secretName;
}

/** The Secrets that are made from the login in the settings for all images, one in each namespace. */
export function stackPullSecrets(
  settings: Settings,
  namespaces: StackNamespaces,
  opts: pulumi.ComponentResourceOptions,
): ImagePullSecret[] {
  const { login } = settings.imagePull;
  if (login === undefined) return [];
  const { server, username, password } = login;
  return ownNamespaces(settings).map(
    (namespace) =>
      new ImagePullSecret(
        `image-pull-${namespace}`,
        {
          settings,
          namespace: namespaces.named(namespace),
          server,
          username,
          password: password.reveal(),
          secretName: LOGIN_SECRET,
        },
        opts,
      ),
  );
}
