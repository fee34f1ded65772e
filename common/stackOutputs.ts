import { z } from "zod";
import { pulumiJson, type StackCli } from "./pulumi";
import { UsageFailure } from "./usageFailure";

const service = z.object({ namespace: z.string(), service: z.string(), port: z.number() });
const smokeWorkflow = z.object({
  /** Its type. */
  workflow: z.string(),
  /** Its argument, as JSON; undefined: none. */
  input: z.string().optional(),
  taskQueue: z.string(),
  timeoutSeconds: z.number(),
});
const workerGroup = z.object({
  name: z.string(),
  namespace: z.string(),
  deployment: z.string(),
  taskQueues: z.tuple([z.string()], z.string()),
  /** Empty: its image cannot replay. Stacks that were deployed before there was this output do not have it. */
  replay: z.array(z.string()).optional(),
  /** Null: the settings name none. Stacks that were deployed before there was this output do not have it. */
  smoke: smokeWorkflow.nullish(),
  /** Stacks that were deployed before groups had their own say neither; both are those of the stack. */
  temporalNamespace: z.string().optional(),
  image: z.object({ name: z.string(), reference: z.string() }).optional(),
});

/** Outputs of index.ts that commands read. */
export const outputsSchema = z.object({
  /** Stacks that were deployed before there was this output name no context. */
  kubernetesContext: z.string().nullish(),
  temporalFrontend: service.nullish(),
  temporalUi: service.nullish(),
  temporalNamespace: z.string(),
  workerImage: z.string(),
  workers: z.tuple([workerGroup], workerGroup),
  payloadKeyring: z
    .object({
      namespace: z.string(),
      secret: z.string(),
      activeKey: z.string(),
      keys: z
        .array(
          z.object({ id: z.string(), existing: z.object({ secret: z.string(), key: z.string() }).nullish() }),
        )
        .default([]),
    })
    .nullish(),
});

/** What a stack deployed, as its last update left it. */
export type StackOutputs = z.infer<typeof outputsSchema>;
/** The workflow that shows that a worker group works. */
export type SmokeWorkflow = z.infer<typeof smokeWorkflow>;

/** That of a group; of a stack that names none yet, the sample's. */
export function smokeOf({ smoke, taskQueues }: StackOutputs["workers"][number]): SmokeWorkflow | undefined {
  if (smoke !== undefined) return smoke ?? undefined;
  return { workflow: "canary", input: "null", taskQueue: taskQueues[0], timeoutSeconds: 120 };
}

/**
 * Reads a stack's outputs. Values that are secret are masked.
 *
 * @throws UsageFailure when there is no such stack, or nothing is deployed; Failure as {@link pulumiJson}
 */
export async function stackOutputs(cli: StackCli): Promise<StackOutputs> {
  const outputs = await findOutputs(cli);
  if (outputs.success) return outputs.data;
  throw new UsageFailure(
    `stack ${cli.stack} has no workers of this program`,
    "deploy it with this program first",
    outputs.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  );
}

/** The outputs of a stack on which perhaps nothing is deployed yet. */
export const findOutputs = async (cli: StackCli): Promise<z.ZodSafeParseResult<StackOutputs>> =>
  outputsSchema.safeParse(await pulumiJson(cli, ["stack", "output"]));
