import { execa } from "execa";
import { z } from "zod";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";

/** The Temporal CLI's answer about workflows of stack `local`, as JSON. */
async function workflow(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const [command = "", ...rest] = args;
  const server = ["--address", "127.0.0.1:7233", "--namespace", "default"];
  const { stdout } = await execa(
    commandPath(programs.temporal, "temporal"),
    ["workflow", command, ...server, ...rest, "--output", "json"],
    { env },
  );
  return stdout;
}

const show = (workflowId: string, env?: NodeJS.ProcessEnv): Promise<string> =>
  workflow(["show", "--workflow-id", workflowId], env);

const countSchema = z.object({ count: z.coerce.number().default(0) });

/** How many open orders the server lists. */
export async function openOrders(): Promise<number> {
  const query = "WorkflowType = 'order' AND ExecutionStatus = 'Running'";
  return countSchema.parse(JSON.parse(await workflow(["count", "--query", query]))).count;
}

const base64Field = /"(data|encryption-key-id)": "([^"]+)"/g;

/**
 * The history of a workflow, to be searched: its payloads stand in clear as far as they are not encrypted.
 *
 * @param env what the Temporal CLI needs to open them otherwise: `TEMPORAL_CODEC_*`
 */
export async function readableHistory(workflowId: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const history = await show(workflowId, env);
  return history.replace(base64Field, (_, key: string, value: string) => {
    return `"${key}": ${Buffer.from(value, "base64").toString("utf8")}`;
  });
}

const historySchema = z.object({
  events: z.array(
    z.object({
      activityTaskStartedEventAttributes: z
        .object({
          attempt: z.number(),
          lastFailure: z.object({ message: z.string().optional() }).optional(),
        })
        .optional(),
    }),
  ),
});

/** How often an activity was attempted until it ended, and how the attempt before failed. */
export interface ActivityAttempts {
  readonly workflowId: string;
  readonly attempt: number;
  readonly failure: string | undefined;
}

/** The attempts of each activity of a workflow. */
export async function activityAttempts(workflowId: string): Promise<ActivityAttempts[]> {
  const { events } = historySchema.parse(JSON.parse(await show(workflowId)));
  return events.flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started === undefined
      ? []
      : [{ workflowId, attempt: started.attempt, failure: started.lastFailure?.message }],
  );
}
