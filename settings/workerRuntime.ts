import { z } from "zod";
import { flag, integer, rule, text } from "./fields";
import { dnsLabel, temporalNamespace } from "./names";
import { WORKER_IMAGE } from "./stackImages";

/*
 * What a worker group runs, and how Kubernetes talks to it. The defaults are the sample's; docs/worker-contract.md says
 * what every image gets and has to offer.
 */

const MAX_WORDS = 100;

/** A command or its arguments, word by word: no shell reads them. */
function words(what: string) {
  const word = text("a text of at most 4096 characters without NUL", /^[^\p{Cs}\0]*$/u, 4096);
  const expected = `a list of 1 to ${String(MAX_WORDS)} texts (${what})`;
  return z.array(word, { error: expected }).min(1, { error: expected }).max(MAX_WORDS, { error: expected });
}

const path = (fallback: string, meaning: string) =>
  text("a path that begins with / (no query, no spaces)", /^\/[!-"$->@-~]*$/, 1024)
    .default(fallback)
    .describe(meaning);

const probes = z
  .discriminatedUnion("mode", [
    z.strictObject({
      mode: z.literal("http").describe("Requests to the port of `HEALTH_PORT`; 2xx and 3xx mean yes."),
      startup: path("/startupz", "Answers yes once the program has started, within 60 s."),
      liveness: path("/livez", "Answers no only when a restart helps."),
      readiness: path("/readyz", "Answers yes while the program takes tasks."),
    }),
    z.strictObject({
      mode: z.literal("exec").describe("Programs of the image; exit code 0 means yes."),
      startup: words("a command").describe("Ends with 0 once the program has started, within 60 s."),
      liveness: words("a command").describe("Fails only when a restart helps."),
      readiness: words("a command").describe("Ends with 0 while the program takes tasks."),
    }),
    z.strictObject({
      mode: z
        .literal("none")
        .describe(
          "Nobody asks: a pod counts as ready once its process runs, and one that hangs stays. The policies `liveness-probe` and `readiness-probe` then ask for an exception in `policyExceptions`.",
        ),
    }),
  ])
  .prefault({ mode: "http" })
  .describe("How Kubernetes asks a pod whether it has started, lives and takes tasks.");

/** Below 1024 a process needs a capability, and the pods have none. */
const port = (fallback: number, meaning: string) =>
  integer("port", 1024, 65535).default(fallback).describe(meaning);

const ports = z
  .strictObject({
    health: port(8080, "Port of the health endpoints: variable `HEALTH_PORT`."),
    metrics: port(
      9464,
      "Port of Prometheus metrics: variable `METRICS_BIND_ADDRESS`. `networkAccess.metricsFrom` opens it.",
    ),
  })
  .check(({ value, issues }) => {
    if (value.health === value.metrics) {
      issues.push(rule("is the port of ports.health, too; choose another", ["metrics"]));
    }
  })
  .prefault({});

/** Settings of a group about the program that it runs. */
export const workerRuntime = {
  image: dnsLabel("the name of an image", 30)
    .default(WORKER_IMAGE)
    .describe("Image that the group runs: a name in `images`, or `worker` for the one of `workerImage`."),
  namespace: temporalNamespace
    .optional()
    .describe(
      "Temporal namespace of the group's tasks; `temporal.namespace` by default. With mode `chart` it is one of `temporal.namespaces`; the dev server makes it at start; elsewhere it must exist.",
    ),
  command: words("a command")
    .optional()
    .describe("Program that the container starts; the entry point of the image by default."),
  args: words("arguments").optional().describe("Its arguments; those of the image by default."),
  probes,
  ports,
  payloadEncryption: flag()
    .default(true)
    .describe(
      "Whether the group gets the keys of `payloadEncryption`; `false` for one whose program does not encrypt: its payloads are in the clear.",
    ),
};

type Problem = ReturnType<typeof rule>;

/** What {@link runtimeProblems} reads. */
interface Sections {
  readonly temporal:
    | { readonly mode: "devServer" | "external" }
    | { readonly mode: "chart"; readonly namespaces: readonly { readonly name: string }[] };
  readonly images: Readonly<Record<string, unknown>>;
  readonly workers: readonly {
    readonly name: string;
    readonly image: string;
    readonly namespace?: string | undefined;
  }[];
}

/** What is wrong between the groups, the images and the Temporal namespaces. */
export function runtimeProblems({ temporal, images, workers }: Sections): Problem[] {
  const known = [WORKER_IMAGE, ...Object.keys(images)];
  const missing = workers.flatMap(({ image }, index) =>
    known.includes(image)
      ? []
      : [
          rule(
            `"${image}" is no image of this stack (${known.join(", ")}); describe it as images.${image}, or name one of them`,
            ["workers", index, "image"],
          ),
        ],
  );
  const unused = Object.keys(images)
    .filter((name) => workers.every(({ image }) => image !== name))
    .map((name) =>
      rule("is run by nobody; name it as the `image` of a group in workers, or remove it", ["images", name]),
    );
  return [...missing, ...unused, ...namespaceProblems(temporal, workers)];
}

function namespaceProblems(temporal: Sections["temporal"], workers: Sections["workers"]): Problem[] {
  if (temporal.mode !== "chart") return [];
  const made = temporal.namespaces.map(({ name }) => name);
  return workers.flatMap(({ namespace }, index) =>
    namespace === undefined || made.includes(namespace)
      ? []
      : [
          rule(
            `"${namespace}" is not among temporal.namespaces (${made.join(", ")}), so nobody makes it; add it there, or name one of them`,
            ["workers", index, "namespace"],
          ),
        ],
  );
}
