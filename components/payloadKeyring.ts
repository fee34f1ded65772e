import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { stackLabels } from "./manifests/labels";
import { dataOptions } from "./protection";
import type { Settings } from "../settings/settings";

/** Name of the Secret; whoever starts workflows or shows their payloads reads the keys there. */
export const KEYRING_SECRET = "temporal-payload-keyring";
/** Letters and digits of the text that a key is made from: 381 bits of entropy, for a key of 256. */
const SEED_LENGTH = 64;

/** A key for AES-256 (32 bytes, as base64) from a random text. */
const keyFrom = (seed: string): string => createHash("sha256").update(seed).digest("base64");

/** Inputs of {@link PayloadKeyring}. */
export interface PayloadKeyringArgs {
  readonly settings: Settings;
  /** Namespace of the workers. */
  readonly namespace: pulumi.Input<string>;
}

/**
 * The keys that encrypt workflow payloads: one random key for each id, kept for as long as its id is in
 * the settings, in one Secret with an entry (base64) for each that is not retired.
 */
export class PayloadKeyring extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: pulumi.Output<string>;
  /**
   * Changes with the keys, and says nothing about them: a hash over at least 256 random bits. Goes into
   * pod templates, as the Secret itself changes in place.
   */
  readonly checksum: pulumi.Output<string>;

  constructor(
    name: string,
    { settings, namespace }: PayloadKeyringArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:PayloadKeyring", name, {}, opts);
    const kept = dataOptions(settings);
    const { keys: ids, retiredKeys } = settings.payloadEncryption;
    const generated = new Map(
      [...ids, ...retiredKeys].map((id) => {
        // Not RandomBytes: its resource id is the value itself, and ids stand in the state as plain text.
        const seed = new random.RandomPassword(
          `${name}-${id}`,
          { length: SEED_LENGTH, special: false },
          { parent: this, ...kept },
        );
        return [id, pulumi.secret(seed.result.apply(keyFrom))];
      }),
    );
    const keys = Object.fromEntries([...generated].filter(([id]) => ids.includes(id)));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { name: KEYRING_SECRET, namespace, labels: stackLabels(settings) },
        type: "Opaque",
        stringData: keys,
      },
      { parent: this, ...kept },
    );
    this.secretName = secret.metadata.name;
    this.checksum = pulumi.unsecret(
      pulumi.output(keys).apply((all) =>
        createHash("sha256")
          .update(JSON.stringify(Object.entries(all).sort()))
          .digest("hex"),
      ),
    );
    this.registerOutputs({ secretName: this.secretName });
  }
}
