import { createHash } from "node:crypto";
import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { PayloadKey } from "../../settings/payloadKeys";

/** For the pod's own group; root owns the files. */
const SECRET_FILE_MODE = 0o440;

/** What of a volume says where the payload keys are. */
export type KeyringVolume = Pick<types.input.core.v1.Volume, "secret" | "projected">;

/** A key for AES-256 (32 bytes, as base64) from a random text. */
export const keyFrom = (seed: string): string => createHash("sha256").update(seed).digest("base64");

/**
 * A volume with a file for each key, its id as the name.
 * @param keyring the Secret that this program makes
 */
export function keyringVolume(keys: readonly PayloadKey[], keyring: pulumi.Input<string>): KeyringVolume {
  const elsewhere = keys.flatMap(({ id, existing }) =>
    existing === undefined
      ? []
      : [{ secret: { name: existing.secret, items: [{ key: existing.key, path: id }] } }],
  );
  return elsewhere.length === 0
    ? { secret: { secretName: keyring, defaultMode: SECRET_FILE_MODE } }
    : {
        projected: { sources: [{ secret: { name: keyring } }, ...elsewhere], defaultMode: SECRET_FILE_MODE },
      };
}
