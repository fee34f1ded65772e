import { z } from "zod";
import { Failure } from "../../common/failure";

/*
 * What the engine tells while it previews, one JSON object a line: `pulumi preview --json` with
 * PULUMI_ENABLE_STREAMING_JSON_PREVIEW. Unlike the one document that the command prints otherwise it has the
 * findings of policies, and nobody has to hold all of it at once.
 */

const state = z.object({
  custom: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  protect: z.boolean().optional(),
  retainOnDelete: z.boolean().optional(),
});

const step = z.object({
  metadata: z.object({
    op: z.string(),
    urn: z.string(),
    type: z.string(),
    old: state.nullish(),
    new: state.nullish(),
    keys: z.array(z.string()).nullish(),
    detailedDiff: z.record(z.string(), z.object({ diffKind: z.string() })).nullish(),
  }),
});

const diagnostic = z.object({
  urn: z.string().optional(),
  prefix: z.string().optional(),
  message: z.string(),
  severity: z.string(),
  ephemeral: z.boolean().optional(),
});

const policy = z.object({
  resourceUrn: z.string().optional(),
  message: z.string(),
  policyName: z.string(),
  policyPackName: z.string(),
  enforcementLevel: z.string(),
});

const summary = z.object({ PolicyPacks: z.record(z.string(), z.string()).nullish() });

const event = z.object({
  diagnosticEvent: diagnostic.optional(),
  resourcePreEvent: step.optional(),
  resOutputsEvent: step.optional(),
  policyEvent: policy.optional(),
  summaryEvent: summary.optional(),
});

/** One thing that the engine tells. */
export type EngineEvent = z.output<typeof event>;
/** A step of the plan: what is done with a resource. */
export type StepEvent = z.output<typeof step>["metadata"];
/** What the program, a provider or the engine says. */
export type DiagnosticEvent = z.output<typeof diagnostic>;
/** What a policy finds. */
export type PolicyEvent = z.output<typeof policy>;

/**
 * Reads a line of the preview's output.
 * @returns undefined if it is no event, such as a line that a plugin printed
 * @throws Failure when the CLI printed the one document instead of events
 */
export function readEvent(line: string): EngineEvent | undefined {
  if (line === "{") {
    throw new Failure(
      "the Pulumi CLI does not tell a preview event by event",
      "install Pulumi 3.248 or newer (pulumi version names the one that runs)",
    );
  }
  if (!line.startsWith("{")) return undefined;
  const parsed = event.safeParse(parseJson(line));
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
