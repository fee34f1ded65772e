import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  CODEC_SERVER,
  CODEC_SERVER_PORT,
  CODEC_SERVER_ROLLOUT,
  CODEC_SERVER_SERVICE,
  CODEC_TOKEN_ENTRY,
  CODEC_TOKEN_SECRET,
  codecServerPod,
} from "./manifests/codecServerManifests";
import { type Labels, objectLabels, selectorLabels } from "./manifests/labels";
import {
  MIN_READY_SECONDS,
  PROGRESS_DEADLINE_SECONDS,
  workerDisruptionBudget,
} from "./manifests/workerManifests";
import type { PayloadKeyring } from "./payloadKeyring";
import { podAccount } from "./podAccount";
import { placementOf } from "../settings/scheduling";
import type { CodecServerSettings, Settings } from "../settings/settings";

/** Letters and digits of the token: 381 bits of entropy. */
const TOKEN_LENGTH = 64;
/** More than Kubernetes itself takes to call a rollout failed. */
const ROLLOUT_TIMEOUT = "300s";

/** Inputs of {@link CodecServer}. */
export interface CodecServerArgs {
  readonly settings: Settings;
  readonly server: CodecServerSettings;
  /** Namespace of the workers: the keys are there. */
  readonly namespace: pulumi.Input<string>;
  /** The workers' image by digest. */
  readonly image: pulumi.Input<string>;
  readonly keyring: PayloadKeyring;
  /** Secret with which the cluster pulls the workers' image, if its registry wants a login of its own. */
  readonly pullSecret: pulumi.Input<string> | undefined;
}

/**
 * Shows payloads in clear in the Temporal UI and CLI to those who may see them, and encrypts what they
 * enter. The Service is inside the cluster only: an ingress with TLS leads browsers to it.
 */
export class CodecServer extends pulumi.ComponentResource {
  /** Name of the Service, and its port. */
  readonly service: pulumi.Output<string>;
  readonly port = CODEC_SERVER_PORT;
  /** Secret with the token that opens it; undefined if tokens come from an identity provider. */
  readonly tokenSecret: pulumi.Output<string> | undefined;

  constructor(name: string, args: CodecServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:CodecServer", name, {}, opts);
    const { settings, server, namespace, image, keyring, pullSecret } = args;
    const labels = objectLabels(settings, CODEC_SERVER);
    const metadata = { namespace, labels };
    const matchLabels = selectorLabels(CODEC_SERVER);
    const child = { parent: this };

    const token = server.auth.mode === "token" ? this.generateToken(name, metadata) : undefined;
    this.tokenSecret = token?.secretName;
    const serviceAccount = podAccount(`${name}-service-account`, settings, metadata, child, pullSecret);
    const annotations = {
      "temporal-stack/keyring-checksum": keyring.checksum,
      ...(token === undefined ? {} : { "temporal-stack/token-checksum": token.checksum }),
    };
    new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: server.replicas,
          strategy: CODEC_SERVER_ROLLOUT,
          minReadySeconds: MIN_READY_SECONDS,
          progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
          selector: { matchLabels },
          template: {
            metadata: { labels, annotations },
            spec: codecServerPod(server, settings.payloadEncryption.activeKey, {
              image,
              platform: settings.workerImage.platform,
              placement: placementOf(settings, "workers"),
              serviceAccount: serviceAccount.metadata.name,
              keyring: keyring.volume,
              token: token?.secretName,
            }),
          },
        },
      },
      { ...child, customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT } },
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: CODEC_SERVER_SERVICE },
        spec: {
          type: "ClusterIP",
          selector: matchLabels,
          ports: [{ name: "http", port: CODEC_SERVER_PORT, targetPort: "http", protocol: "TCP" }],
        },
      },
      child,
    );
    this.service = service.metadata.name;
    new k8s.policy.v1.PodDisruptionBudget(
      `${name}-disruption-budget`,
      { metadata, spec: workerDisruptionBudget(matchLabels) },
      child,
    );
    this.registerOutputs({ service: this.service });
  }

  /** The token in its Secret, and a checksum for pod templates, as the Secret itself changes in place. */
  private generateToken(name: string, metadata: { namespace: pulumi.Input<string>; labels: Labels }) {
    const { result } = new random.RandomPassword(
      `${name}-token`,
      { length: TOKEN_LENGTH, special: false },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      `${name}-token-secret`,
      {
        metadata: { ...metadata, name: CODEC_TOKEN_SECRET },
        type: "Opaque",
        stringData: { [CODEC_TOKEN_ENTRY]: pulumi.secret(result) },
      },
      { parent: this },
    );
    const checksum = pulumi.unsecret(
      result.apply((token) => createHash("sha256").update(token).digest("hex")),
    );
    return { secretName: secret.metadata.name, checksum };
  }
}
