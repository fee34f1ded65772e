import { z } from "zod";
import { type ExitCode, exitCodes } from "../../common/exitCodes";

const workflow = { workflowId: z.string(), runId: z.string(), type: z.string() };

/** What a candidate prints: `ReplayReport` of worker/src/replay/report.ts; a command of another image may say less. */
export const groupReportSchema = z.object({
  sdkVersion: z.string().default("unknown"),
  namespace: z.string(),
  taskQueues: z.array(z.string()),
  open: z.number(),
  notSampled: z.number().default(0),
  gone: z.number().default(0),
  compatible: z.number(),
  incompatible: z.array(
    z.object({
      ...workflow,
      kind: z.enum(["nondeterminism", "unknownType", "taskFailure"]),
      event: z.object({ id: z.number(), type: z.string() }),
      message: z.string(),
    }),
  ),
  unchecked: z.array(z.object({ ...workflow, reason: z.string() })),
});

/** What the replay of one worker group's workflows found. */
export type GroupReport = z.infer<typeof groupReportSchema> & { readonly group: string };

/** The report in what a candidate printed: the last line of JSON that is one. */
export function reportIn(output: string): Omit<GroupReport, "group"> | undefined {
  for (const line of output.trimEnd().split("\n").reverse()) {
    if (!line.startsWith("{")) continue;
    const { data } = groupReportSchema.safeParse(jsonOf(line));
    if (data !== undefined) return data;
  }
  return undefined;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What the gate found. */
export interface GateReport {
  readonly stack: string;
  readonly candidate: string;
  readonly groups: readonly GroupReport[];
  /** Groups about which no candidate says anything, and why. */
  readonly uncheckedGroups: readonly { readonly group: string; readonly reason: string }[];
}

/**
 * A workflow that breaks outweighs one that could not be checked; either keeps the gate shut. A group about which no
 * candidate says anything does not: the settings say so, and the report does.
 */
export function exitCodeOf({ groups }: GateReport): ExitCode {
  if (groups.some(({ incompatible }) => incompatible.length > 0)) return exitCodes.refused;
  return groups.some(({ unchecked }) => unchecked.length > 0) ? exitCodes.failed : exitCodes.ok;
}

/** Ids that are shown of workflows with the same fault. */
const SHOWN = 20;

/** Renders a report for the terminal. */
export function render(report: GateReport): string {
  const lines = [`candidate ${report.candidate}, workflows of stack ${report.stack}`];
  for (const group of report.groups) {
    lines.push(`${group.group}: ${summary(group)}`);
    const broken = group.incompatible.map(({ type, event, message, workflowId }) => ({
      workflowId,
      fault: `${type} breaks at event ${event.id} ${event.type}: ${message}`,
    }));
    const unchecked = group.unchecked.map(({ type, reason, workflowId }) => ({
      workflowId,
      fault: `${type} could not be checked: ${reason}`,
    }));
    lines.push(...byFault([...broken, ...unchecked]));
  }
  for (const { group, reason } of report.uncheckedGroups) lines.push(`${group}: NOT CHECKED: ${reason}`);
  return lines.join("\n");
}

function summary({
  open,
  notSampled,
  gone,
  compatible,
  incompatible,
  unchecked,
  ...group
}: GroupReport): string {
  const counts = [
    `${compatible} replayed`,
    `${incompatible.length} break`,
    ...(unchecked.length > 0 ? [`${unchecked.length} could not be checked`] : []),
    ...(gone > 0 ? [`${gone} ended and were deleted meanwhile`] : []),
    ...(notSampled > 0 ? [`${notSampled} NOT CHECKED: not in the sample`] : []),
  ];
  const where = `${group.taskQueues.join(", ")} of namespace ${group.namespace}`;
  return `${open} open on ${where}; with SDK ${group.sdkVersion} ${counts.join(", ")}`;
}

/** Ten thousand workflows have few different faults. */
function byFault(found: readonly { fault: string; workflowId: string }[]): string[] {
  const ids = new Map<string, string[]>();
  for (const { fault, workflowId } of found) ids.set(fault, [...(ids.get(fault) ?? []), workflowId]);
  return [...ids].flatMap(([fault, all]) => [
    `  ${fault}`,
    ...all.slice(0, SHOWN).map((id) => `    ${id}`),
    ...(all.length > SHOWN ? [`    and ${all.length - SHOWN} more; --json names them all`] : []),
  ]);
}
