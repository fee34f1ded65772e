import { isIP } from "node:net";
import { z } from "zod";
import { images } from "../versions";
import { imagePin } from "./imagePin";
import {
  dnsLabel,
  flag,
  hostPort,
  imageReference,
  imageRepository,
  labelMap,
  memory,
  oneOf,
  rule,
  text,
  wholeNumber,
} from "./fields";
import { Sensitive } from "./sensitive";
import { containerResources } from "./workers";

const temporalNamespace = text(
  'a Temporal namespace: letters, digits, ".", "_", "-", beginning with a letter or digit, at most 255 characters',
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  255,
);

/** Which cluster, and how to reach it. */
export const kubernetes = z
  .strictObject({
    context: text("the name of a kubeconfig context", /^\S(.*\S)?$/, 253)
      .optional()
      .describe("Context of the kubeconfig ($KUBECONFIG or ~/.kube/config); its current context by default."),
    clusterIdentifier: dnsLabel("a name for the cluster", 63)
      .optional()
      .describe(
        "Stands for the cluster's identity: when it changes, everything is replaced. `temporal-stack-<stack>` by default.",
      ),
  })
  .prefault({});

/** Names of the Kubernetes namespaces that the program makes. */
export const namespaces = z
  .strictObject({
    temporal: dnsLabel("a namespace name").default("temporal").describe("Namespace of the Temporal server."),
    workers: dnsLabel("a namespace name").default("temporal-workers").describe("Namespace of the workers."),
  })
  .check(({ value, issues }) => {
    for (const role of ["temporal", "workers"] as const) {
      if (value[role] === "default" || value[role].startsWith("kube-")) {
        issues.push(
          rule(`"${value[role]}" belongs to Kubernetes itself; choose a namespace of its own`, [role]),
        );
      }
    }
    if (value.temporal === value.workers) {
      issues.push(rule("must differ from namespaces.temporal; choose another name", ["workers"]));
    }
  })
  .prefault({});

/** The dev server of the Temporal CLI in one pod. */
const devServer = z.strictObject({
  mode: z
    .literal("devServer")
    .describe("One pod, one SQLite file: for a single machine, never for production."),
  image: imageReference("an image of the Temporal CLI")
    .default(imagePin(images.temporalCli))
    .describe("Image of the Temporal CLI."),
  namespace: temporalNamespace.default("default").describe("Temporal namespace that is registered at start."),
  storage: z
    .strictObject({
      size: memory("volume size").default("1Gi").describe("Size of the volume of the SQLite file."),
      storageClass: dnsLabel("a storage class")
        .optional()
        .describe("Storage class; the cluster's default one if absent."),
    })
    .prefault({}),
  resources: containerResources({ cpu: "100m", memory: "256Mi", memoryLimit: "1Gi" }),
  searchAttributes: z
    .record(
      text("a search attribute name: a letter, then letters, digits, _", /^[A-Za-z]\w*$/, 64),
      oneOf(["Bool", "Datetime", "Double", "Int", "Keyword", "KeywordList", "Text"]),
      { error: (issue) => (issue.code === "invalid_type" ? "a mapping of names to types" : undefined) },
    )
    .optional()
    .describe("Search attributes registered at start, by name."),
  rolloutTimeoutSeconds: wholeNumber("seconds", 150, 3600)
    .default(300)
    .describe("Seconds after which `pulumi up` reports that the server did not become ready."),
});

const cidr = z
  .string({ error: "an address range like 10.0.0.0/8" })
  .refine(isCidr, { error: "an address range like 10.0.0.0/8 or fd00::/8" });

function isCidr(value: string): boolean {
  const [, address, length] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const family = isIP(address ?? "");
  return family !== 0 && Number(length) <= (family === 4 ? 32 : 128);
}

/**
 * Where NetworkPolicies let the workers through to something that this program does not run.
 * @param what its pods or addresses, as in "the frontend"
 * @param port where its port comes from by default
 */
function wayTo(what: string, port: string) {
  return z
    .strictObject(
      {
        namespace: dnsLabel("a namespace name")
          .optional()
          .describe(`Kubernetes namespace of ${what}, if it runs in the same cluster.`),
        podLabels: labelMap(`labels of the pods of ${what}`)
          .optional()
          .describe(`Labels that narrow the namespace down to the pods of ${what}.`),
        cidrs: z
          .array(cidr, { error: "a list of address ranges" })
          .min(1, { error: "a list of at least one address range" })
          .optional()
          .describe(`Address ranges of ${what}, if it runs elsewhere.`),
        podPort: wholeNumber("a port", 1, 65535)
          .optional()
          .describe(`Port of the pods, if the Service maps it; ${port} by default.`),
      },
      { error: (issue) => (issue.code === "invalid_type" ? "a mapping with namespace or cidrs" : undefined) },
    )
    .check(({ value, issues }) => {
      if ((value.namespace === undefined) === (value.cidrs === undefined)) {
        issues.push(
          rule(`NetworkPolicies must know the way to ${what}; set exactly one of namespace and cidrs`, []),
        );
      }
      if (value.podLabels !== undefined && value.namespace === undefined) {
        issues.push(
          rule("narrows network.namespace, which is not set; set it or remove podLabels", ["podLabels"]),
        );
      }
    })
    .describe("Where NetworkPolicies let the workers through.");
}

/** A server that this program does not run. */
const external = z.strictObject({
  mode: z.literal("external").describe("A Temporal server that exists already, by address."),
  address: hostPort("the frontend's address").describe("host:port of the frontend's gRPC endpoint."),
  namespace: temporalNamespace.describe("Temporal namespace of the workers; it must exist."),
  network: wayTo("the frontend", "the address's port"),
});

/** How there comes to be a Temporal server. */
export const temporal = z.discriminatedUnion("mode", [devServer, external]);

/** The image that every worker group runs. */
export const workerImage = z.strictObject({
  repository: imageRepository("an image repository").describe("Repository to which the image is pushed."),
  digest: text("a digest: sha256: and 64 hexadecimal digits", /^sha256:[0-9a-f]{64}$/, 71)
    .optional()
    .describe("Runs this image, which must be in the repository; nothing is built then."),
  platform: oneOf(["linux/amd64", "linux/arm64"])
    .default("linux/amd64")
    .describe("Platform for which it is built."),
  baseImages: z
    .strictObject({
      build: imageReference("an image")
        .default(imagePin(images.workerBuild))
        .describe("Image in which the worker is compiled: Node.js and npm on glibc."),
      runtime: imageReference("an image")
        .default(imagePin(images.workerRuntime))
        .describe("Image on which the worker runs: Node.js on glibc, with uid 65532."),
    })
    .prefault({}),
  buildNetwork: oneOf(["default", "host"])
    .default("default")
    .describe("Network of the build's steps: `host` where the container engine has no bridge of its own."),
  registry: z
    .strictObject({
      server: text(
        "a registry's host, with its port if not 443",
        /^[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9]\d{0,4})?$/,
        262,
      )
        .optional()
        .describe("Registry to log in to; taken from the repository by default."),
      username: text("a user name", /^\S+$/, 255).describe("User that may push."),
      password: z
        .string({ error: "a secret text" })
        .min(1, { error: "a secret text" })
        .transform((value) => new Sensitive(value))
        .describe("Its password or token; only as a secret: `pulumi config set --secret --path`."),
    })
    .optional()
    .describe("Login for the push; the Docker client's own login by default."),
});

const keyId = text(
  'a key id: lower-case letters, digits and "-", at most 40 characters',
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  40,
);

/** Encryption of workflow payloads before they leave the worker. */
export const payloadEncryption = z
  .strictObject({
    enabled: flag().default(true).describe("Whether payloads are encrypted (AES-256-GCM)."),
    keys: z
      .array(keyId, { error: "a list of key ids" })
      .min(1, { error: "a list of at least one key id" })
      .max(20, { error: "a list of at most 20 key ids" })
      .default(["key-1"])
      .describe("Ids of all keys that workers can read with; each key is generated once and kept."),
    activeKey: keyId.default("key-1").describe("Id of the key with which payloads are written."),
  })
  .check(({ value, issues }) => {
    value.keys.forEach((id, index) => {
      if (value.keys.indexOf(id) !== index) {
        issues.push(rule(`"${id}" stands in the list twice; remove one`, ["keys", index]));
      }
    });
    if (!value.keys.includes(value.activeKey)) {
      issues.push(
        rule(
          `"${value.activeKey}" is not among payloadEncryption.keys (${value.keys.join(", ")}); add it there, or name one of them`,
          ["activeKey"],
        ),
      );
    }
  })
  .prefault({});

const SAMPLE_RATIO = "a number from 0 to 1 with at most four decimals";

/** Traces of the workers, sent over OTLP; absent: none. */
export const tracing = z
  .strictObject({
    endpoint: z
      .url({
        protocol: /^https?$/,
        error: "a URL of an OTLP/HTTP receiver, like http://collector.observability:4318",
      })
      .describe("Base URL of an OTLP/HTTP receiver; spans go to `/v1/traces` below it."),
    sampleRatio: z
      .number({ error: SAMPLE_RATIO })
      .min(0, { error: SAMPLE_RATIO })
      .max(1, { error: SAMPLE_RATIO })
      .multipleOf(0.0001, { error: SAMPLE_RATIO })
      .default(0.1)
      .describe(
        "Share of the traces that begin at a worker; others keep the decision of whoever began them.",
      ),
    headers: text(
      "headers as name=value,name=value with values percent-encoded",
      /^[^\s=,]+=[^,]*(,[^\s=,]+=[^,]*)*$/,
      8192,
    )
      .transform((value) => new Sensitive(value))
      .optional()
      .describe(
        "Headers of the requests, like `authorization=Bearer%20...`; only as a secret: `pulumi config set --secret --path`.",
      ),
    network: wayTo("the receiver", "the endpoint's port"),
  })
  .check(({ value, issues }) => {
    if (
      value.headers !== undefined &&
      value.network.cidrs !== undefined &&
      value.endpoint.startsWith("http:")
    ) {
      issues.push(rule("would be sent out of the cluster in the clear; use an https endpoint", ["headers"]));
    }
  })
  .optional();

const peers = (who: string) =>
  z
    .array(
      z.strictObject({
        namespace: dnsLabel("a namespace name").describe("Namespace of the pods that get in."),
        podLabels: labelMap("pod labels")
          .optional()
          .describe("Labels of those pods; every pod of the namespace by default."),
      }),
      { error: "a list of {namespace, podLabels}" },
    )
    .default([])
    .describe(`${who}; nobody by default.`);

/** Who may connect, beyond the stack's own flows. */
export const networkAccess = z
  .strictObject({
    frontendFrom: peers("Pods of other namespaces that may call the Temporal frontend"),
    uiFrom: peers("Pods that may open the Temporal UI, like the ingress controller"),
    metricsFrom: peers("Pods that may scrape the workers' metrics, like Prometheus"),
  })
  .prefault({});

const RESERVED_LABELS = /^(app\.kubernetes\.io|temporal-stack|kubernetes\.io|pod-security\.kubernetes\.io)\//;

/** Labels that every object gets. */
export const labels = labelMap("labels")
  .check(({ value, issues }) => {
    for (const key of Object.keys(value)) {
      if (RESERVED_LABELS.test(key))
        issues.push(rule("is set by this program; choose another prefix", [key]));
    }
  })
  .prefault({})
  .describe("Further labels of every object, like an owner or cost centre.");

/** Whether what holds data survives a mistake. */
export const deletionProtection = flag()
  .default(true)
  .describe("Whether namespaces, volumes and keys are protected from deletion and kept by `pulumi destroy`.");
