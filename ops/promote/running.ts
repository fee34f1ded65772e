import { z } from "zod";
import { exportedStack } from "../../common/exportedStack";
import { Failure } from "../../common/failure";
import { splitImage } from "../../settings/imageVersion";
import { WORKER_IMAGE } from "../../settings/stackImages";

/** An image, its digest part of the tag. */
export interface RunningImage {
  readonly repository: string;
  readonly tag: string;
}

/** A worker image by digest. */
export interface WorkerImage {
  readonly repository: string;
  readonly digest: string;
}

/** What a stack runs, as its last update recorded it; what it does not run is undefined. */
export interface RunningVersions {
  readonly worker: WorkerImage;
  /** The images of `images` that its groups run, by name. */
  readonly images: Readonly<Record<string, WorkerImage>>;
  readonly temporalChart?: string | undefined;
  readonly server?: RunningImage | undefined;
  readonly adminTools?: RunningImage | undefined;
  readonly ui?: RunningImage | undefined;
  readonly operatorChart?: string | undefined;
  readonly operator?: RunningImage | undefined;
  readonly postgres?: RunningImage | undefined;
}

const image = z.object({ repository: z.string(), tag: z.string() });
const withImage = z.object({ image });
const temporalRelease = z.object({
  chart: z.string(),
  version: z.string(),
  values: z.object({ server: withImage, admintools: withImage.optional(), web: withImage.optional() }),
});
const operatorRelease = z.object({ chart: z.string(), version: z.string(), values: withImage });
const cluster = z.object({ spec: z.object({ imageName: z.string() }) });

/**
 * Reads what a stack runs out of its checkpoint.
 *
 * @param exported what `pulumi stack export` prints
 * @throws Failure when no worker image by digest is deployed
 */
export function runningVersions(stack: string, exported: unknown): RunningVersions {
  const resources = exportedStack(exported).resources;
  const inputsOf = <T>(type: RegExp, schema: z.ZodType<T>): T | undefined =>
    resources
      .filter((resource) => type.test(resource.type))
      .map(({ inputs }) => schema.safeParse(inputs))
      .find(({ success }) => success)?.data;

  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  const temporal = inputsOf(/:helm\.sh\/v3:Release$/, temporalRelease);
  const operator = inputsOf(/:helm\.sh\/v3:Release$/, operatorRelease);
  const postgres = inputsOf(/^kubernetes:postgresql\.cnpg\.io\/v1:Cluster$/, cluster);
  return {
    worker: workerImage(stack, outputs?.["workerImage"]),
    images: groupImages(stack, outputs?.["workers"]),
    temporalChart: temporal?.version,
    server: temporal?.values.server.image,
    adminTools: temporal?.values.admintools?.image,
    ui: temporal?.values.web?.image,
    operatorChart: operator?.version,
    operator: operator?.values.image,
    postgres: postgres === undefined ? undefined : splitImage(postgres.spec.imageName),
  };
}

const groups = z.array(z.object({ image: z.object({ name: z.string(), reference: z.string() }).optional() }));

/** The images that groups run beside the one of `workerImage`; stacks of older programs have none. */
function groupImages(stack: string, output: unknown): Record<string, WorkerImage> {
  return Object.fromEntries(
    (groups.safeParse(output).data ?? []).flatMap(({ image }) =>
      image === undefined || image.name === WORKER_IMAGE
        ? []
        : [[image.name, workerImage(stack, image.reference)]],
    ),
  );
}

function workerImage(stack: string, output: unknown): WorkerImage {
  const [, repository, digest] = /^([^@]+)@(sha256:[0-9a-f]{64})$/.exec(String(output)) ?? [];
  if (repository === undefined || digest === undefined) {
    throw new Failure(
      `stack "${stack}" runs no worker image that is known by its digest`,
      `deploy it with this program first (pulumi up -s ${stack}); what never ran is not promoted`,
    );
  }
  return { repository, digest };
}
