import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "./manifests/labels";
import type { Settings } from "../settings/settings";
import { registryOf } from "./workerImage";

/** Inputs of {@link ImagePullSecret}. */
export interface ImagePullSecretArgs {
  readonly settings: Settings;
  /** Namespace of the pods that pull. */
  readonly namespace: pulumi.Input<string>;
  readonly username: string;
  readonly password: pulumi.Input<string>;
}

/** A login for pulling the worker image. A changed password changes it in place, and rolls nothing. */
export class ImagePullSecret extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: ImagePullSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:ImagePullSecret", name, {}, opts);
    const { settings, namespace, username, password } = args;
    const config = pulumi
      .output(password)
      .apply((text) => dockerConfig(registryOf(settings.workerImage.repository), username, text));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { namespace, labels: stackLabels(settings) },
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
  const args = { settings, namespace, username, password: password.reveal() };
  return new ImagePullSecret("image-pull", args, opts).secretName;
}

/** Docker Hub's login is kept under the address of its first version. */
const DOCKER_HUB = "https://index.docker.io/v1/";

function dockerConfig(host: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({
    auths: { [host === "docker.io" ? DOCKER_HUB : host]: { username, password, auth } },
  });
}
