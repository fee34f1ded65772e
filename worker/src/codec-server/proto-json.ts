import type { Payload } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import { Type } from "protobufjs/light";
import { fromJsonString, toJsonString } from "protobufjs/ext/protojson";

const { Payloads } = temporal.api.common.v1;

/** The SDK declares its messages as classes only; the reflection that ProtoJSON needs is there all the same. */
function reflected(message: unknown): Type {
  if (message instanceof Type) return message;
  throw new Error("the SDK's messages have no reflection any more; find another ProtoJSON");
}
const payloadsType = reflected(Payloads);

/** @throws for anything but ProtoJSON of `temporal.api.common.v1.Payloads`; the message may quote the input */
export const parsePayloads = (json: string): Payload[] =>
  Payloads.fromObject(fromJsonString(payloadsType, json)).payloads;

/** ProtoJSON of `temporal.api.common.v1.Payloads`. */
export const formatPayloads = (payloads: readonly Payload[]): string =>
  toJsonString(payloadsType, { payloads });
