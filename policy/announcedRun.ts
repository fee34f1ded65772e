import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  AnalyzeRequest,
  AnalyzerResourceOptions,
  type AnalyzerStackConfigureRequest,
  AnalyzeStackRequest,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { isMapping, type Mapping, PROJECT } from "../settings/mapping";

/** What the engine says about the run before it shows any resource. */
export interface Run {
  readonly stack: string;
  /** Whether it is a preview. */
  readonly preview: boolean;
  /** Configuration by full key; mappings and lists are JSON. Secrets are not in it. */
  readonly plainText: Mapping;
  /** Value of `temporal-stack:policyExceptions`; undefined if there are none. */
  readonly exceptions: unknown;
}

/** A run that nobody has told anything about: everything counts as production. */
export const UNANNOUNCED: Run = { stack: "prod", preview: false, plainText: {}, exceptions: undefined };

/**
 * Calls back when the engine announces a run. The SDK for policies passes on the tags of the stack alone, and
 * environment variables with its name are not set for packs that a language host runs: so the announcement is
 * read where it comes in. To be called before the pack is made.
 */
export function onRun(callback: (run: Run) => void): void {
  const method = AnalyzerService.configureStack;
  const deserialize = method.requestDeserialize;
  method.requestDeserialize = (bytes) => {
    const request = deserialize(bytes);
    callback(runOf(request));
    return request;
  };
}

/**
 * Leaves unread what the engine sends for nothing: resources to be remedied, which the pack does not do, and at the
 * end those of the whole stack, each of which it has seen before. Unpacking them took as long as judging. To be
 * called before the pack is made.
 */
export function skipUnread(): void {
  const { remediate, analyzeStack } = AnalyzerService;
  const nothing = new AnalyzeRequest();
  nothing.setProperties(new Struct());
  nothing.setOptions(new AnalyzerResourceOptions());
  remediate.requestDeserialize = () => nothing;
  analyzeStack.requestDeserialize = () => new AnalyzeStackRequest();
}

function runOf(request: AnalyzerStackConfigureRequest): Run {
  const secret = request.getConfigSecretKeysList();
  const plainText: Record<string, unknown> = {};
  request.getConfigMap().forEach((value, key) => {
    if (!secret.includes(key)) plainText[key] = parsed(value);
  });
  return {
    stack: request.getStack(),
    preview: request.getDryRun(),
    plainText,
    exceptions: plainText[`${PROJECT}:policyExceptions`],
  };
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) || Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}
