import type { DataConverter } from "@temporalio/common";
import { DEFAULT_POLICY, EncryptionCodec } from "./encryption-codec";
import type { EncryptionPolicy } from "./encryption-codec";
import type { Keyring } from "./keyring";

/** The module that the worker and the workflow bundle load their failure converter from. */
export const failureConverterPath = require.resolve("./failure-converter");

/**
 * What client and worker must agree on.
 *
 * @param keyring without one payloads are written in the clear
 */
export function createDataConverter(
  keyring: Keyring | undefined,
  policy: EncryptionPolicy = DEFAULT_POLICY,
): DataConverter {
  const payloadCodecs = keyring === undefined ? [] : [new EncryptionCodec(keyring, policy)];
  return { failureConverterPath, payloadCodecs };
}
