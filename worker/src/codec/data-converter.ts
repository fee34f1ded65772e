import type { DataConverter } from "@temporalio/common";
import { EncryptionCodec } from "./encryption-codec";
import type { Keyring } from "./keyring";

/** The module that the worker and the workflow bundle load their failure converter from. */
export const failureConverterPath = require.resolve("./failure-converter");

/**
 * What client and worker must agree on.
 *
 * @param keyring without one payloads are written in the clear
 */
export function createDataConverter(keyring: Keyring | undefined): DataConverter {
  return { failureConverterPath, payloadCodecs: keyring === undefined ? [] : [new EncryptionCodec(keyring)] };
}
