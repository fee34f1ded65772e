import { z } from "zod";
import { exportedStack } from "../../common/exportedStack";
import { isMapping, type Mapping } from "../../settings/mapping";

/** Key and value by which an exported stack marks a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RELEASE = "kubernetes:helm.sh/v3:Release";

const inputsSchema = z.record(z.string(), z.unknown());
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
const releaseSchema = z.object({
  name: z.string(),
  namespace: z.string(),
  chart: z.string(),
  version: z.string(),
  repositoryOpts: z.object({ repo: z.string() }),
  values: inputsSchema.default({}),
  timeout: z.number(),
  waitForJobs: z.boolean().default(false),
});

/** A Kubernetes object as it is sent to the API server. */
export type KubernetesObject = z.output<typeof objectSchema>;
/** A Helm release with its values. */
export type Release = z.output<typeof releaseSchema>;

/** What a stack applies to its cluster. */
export interface StackObjects {
  readonly objects: readonly KubernetesObject[];
  readonly releases: readonly Release[];
}

/**
 * Reads what a stack applies to its cluster, secrets in plain text.
 *
 * @param exported what `pulumi stack export --show-secrets` prints
 * @throws ZodError when an object or a release is not complete
 */
export function stackObjects(exported: string): StackObjects {
  const applied = exportedStack(JSON.parse(exported))
    .resources.filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ type, inputs }) => ({ type, inputs: plain(inputs ?? {}) }));
  return {
    objects: applied.filter(({ type }) => type !== RELEASE).map(({ inputs }) => objectSchema.parse(inputs)),
    releases: applied.filter(({ type }) => type === RELEASE).map(({ inputs }) => releaseSchema.parse(inputs)),
  };
}

/** A value without marks of secrets, and without what is the engine's own. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isMapping(value)) return value;
  if (value[SIGNATURE] === SECRET) return secretOf(value);
  const entries = Object.entries(value).filter(([key]) => !key.startsWith("__"));
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}

function secretOf({ plaintext }: Mapping): unknown {
  if (typeof plaintext !== "string") throw new Error("a secret of the exported stack is encrypted");
  return plain(JSON.parse(plaintext));
}
