import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { stackLabels } from "./manifests/labels";
import { type KeyringVolume, keyFrom, keyringVolume } from "./manifests/payloadKeysManifests";
import { lookUpSecret } from "./clusterLookup";
import { fingerprintOf, type RecordedKey, sourceOf, takeoverGuard } from "./guards/payloadKeysGuard";
import { dataOptions } from "./protection";
import { KEYRING_SECRET, type PayloadKey } from "../settings/payloadKeys";
import type { Settings } from "../settings/settings";

/** Letters and digits of the text that a key is made from: 381 bits of entropy, for a key of 256. */
const SEED_LENGTH = 64;

/** Inputs of {@link PayloadKeyring}. */
export interface PayloadKeyringArgs {
  readonly settings: Settings;
  /** Namespace of the workers. */
  readonly namespace: pulumi.Input<string>;
}

/**
 * The keys that encrypt workflow payloads, in one Secret with an entry (base64) for each that is not retired. One that
 * nobody brought is random, and kept for as long as its id is in the settings; one in a Secret of the user's own
 * stays there, and pods mount it beside the others.
 */
export class PayloadKeyring extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: pulumi.Output<string>;
  /** What is in the Secret: base64 of a key by its id. */
  readonly entries: Readonly<Record<string, pulumi.Output<string>>>;
  /** All keys that are not retired, as pods mount them. */
  readonly volume: KeyringVolume;
  /** What the next update compares its keys with, retired ones included. */
  readonly recorded: pulumi.Output<RecordedKey[]>;
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
    const { keys, retiredKeys } = settings.payloadEncryption;
    const texts = new Map(
      [...keys, ...retiredKeys].flatMap((key) => {
        const text = this.textOf(name, key, kept);
        return text === undefined ? [] : [[key.id, text] as const];
      }),
    );
    const held = Object.fromEntries([...texts].filter(([id]) => keys.some((key) => key.id === id)));
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { name: KEYRING_SECRET, namespace, labels: stackLabels(settings) },
        type: "Opaque",
        stringData: held,
      },
      {
        parent: this,
        ...kept,
        hooks: takeoverGuard(keys, () => lookUpSecret(settings, settings.namespaces.workers, KEYRING_SECRET)),
      },
    );
    this.entries = held;
    this.secretName = secret.metadata.name;
    this.volume = keyringVolume(keys, this.secretName);
    this.checksum = pulumi.unsecret(
      pulumi.output(held).apply((all) =>
        createHash("sha256")
          .update(JSON.stringify(Object.entries(all).sort()))
          .digest("hex"),
      ),
    );
    this.recorded = pulumi.all(
      [...keys, ...retiredKeys].map((key) => {
        const text = texts.get(key.id);
        return pulumi.output({
          id: key.id,
          source: sourceOf(key),
          existing: key.existing ?? null,
          fingerprint: text === undefined ? null : pulumi.unsecret(text.apply(fingerprintOf)),
        });
      }),
    );
    this.registerOutputs({ secretName: this.secretName });
  }

  /** Base64 of a key; undefined if it is in a Secret of its own. */
  private textOf(
    name: string,
    { id, value, existing }: PayloadKey,
    kept: pulumi.CustomResourceOptions,
  ): pulumi.Output<string> | undefined {
    if (existing !== undefined) return undefined;
    if (value !== undefined) return value.reveal();
    // Not RandomBytes: its resource id is the value itself, and ids stand in the state as plain text.
    const seed = new random.RandomPassword(
      `${name}-${id}`,
      { length: SEED_LENGTH, special: false },
      { parent: this, ...kept },
    );
    return pulumi.secret(seed.result.apply(keyFrom));
  }
}
