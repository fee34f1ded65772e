import { z } from "zod";
import { images } from "./versions";
import { imagePin } from "./imagePin";
import { hostPort, peerNetwork, schemeOf, url } from "./addresses";
import { apiKey, apiKeySecret, tls } from "./credentials";
import { flag, integer, oneOf, rule, text, volumeSize } from "./fields";
import { imageReference, imageRepository, registry } from "./images";
import { dnsLabel, inYaml, labelMap, objectName, searchAttributes, temporalNamespace } from "./names";
import { reservedLabelProblems } from "./reservedLabels";
import { secretSetting } from "./secretSettings";
import { imageDigest, imagePlatform } from "./stackImages";
import { chart } from "./temporal";
import { containerResources } from "./workers";

/** Which cluster, and how to reach it. */
export const kubernetes = z
  .strictObject({
    context: text("the name of a kubeconfig context", /^\S(.*\S)?$/, 253)
      .optional()
      .describe("Context of the kubeconfig ($KUBECONFIG or ~/.kube/config); its current context by default."),
    clusterUid: text("the UID of a namespace", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 36)
      .optional()
      .describe(
        "The cluster that the stack belongs to, by the UID of its namespace `kube-system`; any other is refused. By default the one that it was first deployed to.",
      ),
    clusterIdentifier: dnsLabel("a name for the cluster", 63)
      .optional()
      .describe(
        "Identity of the cluster for the provider: everything is replaced when it changes. `temporal-stack-<stack>` by default.",
      ),
  })
  .prefault({});

/** Names of the Kubernetes namespaces that the program makes. */
export const namespaces = z
  .strictObject({
    temporal: inYaml(dnsLabel("a namespace name"))
      .default("temporal")
      .describe("Namespace of the Temporal server."),
    workers: inYaml(dnsLabel("a namespace name"))
      .default("temporal-workers")
      .describe("Namespace of the workers."),
    adopt: z
      .array(dnsLabel("a namespace name"), { error: "a list of namespace names" })
      .default([])
      .describe(
        "Namespaces that exist already and that this stack may take over: from then on it labels them, closes them and, without `deletionProtection`, deletes them, also from another stack that uses them. Any other existing namespace is refused. Take an entry out again once its namespace is adopted.",
      ),
  })
  .check(({ value, issues }) => {
    if (value.temporal === value.workers) {
      issues.push(rule("must differ from namespaces.temporal; choose another name", ["workers"]));
    }
  })
  .prefault({});

/** The dev server of the Temporal CLI in one pod. */
const devServer = z.strictObject({
  mode: z
    .literal("devServer")
    .describe("Temporal's dev server: one pod, one SQLite file. Never for production."),
  image: imageReference("an image of the Temporal CLI")
    .default(imagePin(images.temporalCli))
    .describe("Image of the Temporal CLI."),
  namespace: temporalNamespace.default("default").describe("Temporal namespace that is registered at start."),
  storage: z
    .strictObject({
      size: volumeSize("volume size").default("1Gi").describe("Size of the volume of the SQLite file."),
      storageClass: objectName("a storage class")
        .optional()
        .describe("Storage class; the cluster's default one if absent."),
    })
    .prefault({}),
  resources: containerResources({ cpu: "100m", memory: "256Mi", memoryLimit: "1Gi" }),
  searchAttributes: searchAttributes().optional().describe("Search attributes registered at start, by name."),
  rolloutTimeoutSeconds: integer("seconds", 150, 3600)
    .default(300)
    .describe("Seconds after which `pulumi up` reports that the server did not become ready."),
});

/** A server that this program does not run. */
const external = z
  .strictObject({
    mode: z.literal("external").describe("A Temporal server that exists already, by address."),
    address: hostPort("the frontend's address").describe("host:port of the frontend's gRPC endpoint."),
    namespace: temporalNamespace.describe("Temporal namespace of the workers; it must exist."),
    network: peerNetwork("the frontend").describe(
      "Where NetworkPolicies let the workers through; with `proxy` they reach the proxy only.",
    ),
    proxy: z
      .strictObject({
        address: hostPort("an HTTP proxy's address").describe(
          "host:port of an HTTP proxy that takes CONNECT and asks for no login: the SDK would send it in the clear.",
        ),
        network: peerNetwork("the proxy").describe("Where NetworkPolicies let the workers through to it."),
      })
      .optional()
      .describe(
        "HTTP CONNECT proxy through which workers reach the frontend; none by default. The SDK does not read `HTTPS_PROXY`.",
      ),
    tls,
    apiKey,
    apiKeySecret,
    compression: oneOf(["gzip", "none"])
      .default("gzip")
      .describe(
        "Of what goes between workers and server. `none` takes less CPU time, for a server nearby; one that this stack runs is never sent gzip.",
      ),
  })
  .check(({ value, issues }) => {
    if (value.apiKey !== undefined && value.apiKeySecret !== undefined) {
      issues.push(rule("cannot be set together with temporal.apiKey; remove one of them", ["apiKeySecret"]));
    }
  });

/** Where the Temporal server is: in this stack or elsewhere. */
export const temporal = z.discriminatedUnion("mode", [devServer, chart, external]);

const secretText = (description: string) =>
  secretSetting(z.string({ error: "a secret text" }).min(1, { error: "a secret text" })).describe(
    description,
  );

const pullSecret = z
  .strictObject({
    existing: objectName("the name of a Secret")
      .optional()
      .describe("Secret of type `kubernetes.io/dockerconfigjson` that is in the workers' namespace already."),
    username: text("a user name", /^[^\s:]+$/, 255)
      .optional()
      .describe(
        "Alternative to `existing`: a user with pull permission only; the program creates a Secret from it.",
      ),
    password: secretText(
      "The password or token of that user; only as a secret: `pulumi config set --secret --path`.",
    ).optional(),
  })
  .check(({ value, issues }) => {
    const login = [value.username, value.password].filter((part) => part !== undefined).length;
    if (login !== (value.existing === undefined ? 2 : 0)) {
      issues.push(
        rule(
          "must name one way to the registry; set either `existing`, or both `username` and `password`",
          [],
        ),
      );
    }
  })
  .optional()
  .describe("Registry credentials with which the cluster pulls the worker image; none by default.");

/** The image that every worker group runs that names no other. */
export const workerImage = z.strictObject({
  repository: imageRepository("an image repository").describe("Repository to which the image is pushed."),
  digest: imageDigest
    .optional()
    .describe("Digest of an image in the repository; it is run as it is, and nothing is built."),
  platform: imagePlatform.default("linux/amd64").describe("Platform for which it is built."),
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
    .describe("Network mode of the build steps: `host` where the container engine has no bridge network."),
  registry: z
    .strictObject({
      server: registry("a registry's host, with its port if that is not 443")
        .optional()
        .describe("Registry to log in to; taken from the repository by default."),
      username: text("a user name", /^\S+$/, 255).describe("User that may push."),
      password: secretText("Its password or token; only as a secret: `pulumi config set --secret --path`."),
    })
    .optional()
    .describe("Login for the push; the Docker client's own login by default."),
  pullSecret,
  source: url("a URL that begins with https://", ["https"], /^https:/)
    .optional()
    .describe("URL of the sources: label `org.opencontainers.image.source` of the image."),
});

const SAMPLE_RATIO = "a number from 0 to 1 with at most four decimals";

const HEADERS = "headers as name=value,name=value with values percent-encoded";

/** Whether every percent sign begins a character, and none of them ends a line. */
function isPercentEncoded(value: string): boolean {
  try {
    return !/[\p{Cc}]/u.test(decodeURIComponent(value));
  } catch {
    return false;
  }
}

/** Traces of the workers, sent over OTLP; absent: none. */
export const tracing = z
  .strictObject({
    endpoint: url(
      "a URL of an OTLP/HTTP receiver without query, such as http://collector.observability:4318",
      ["http", "https"],
      /^[^?#]+$/,
    ).describe("Base URL of an OTLP/HTTP receiver; spans go to `/v1/traces` below it."),
    sampleRatio: z
      .number({ error: SAMPLE_RATIO })
      .min(0, { error: SAMPLE_RATIO })
      .max(1, { error: SAMPLE_RATIO })
      .multipleOf(0.0001, { error: SAMPLE_RATIO })
      .default(0.1)
      .describe(
        "Sampling ratio of traces that begin at a worker; others follow the decision of their parent.",
      ),
    headers: secretSetting(
      text(HEADERS, /^[!#$%&'*+.^`|~\w-]+=[!-+\--~]*(,[!#$%&'*+.^`|~\w-]+=[!-+\--~]*)*$/, 8192).refine(
        isPercentEncoded,
        { error: HEADERS },
      ),
    )
      .optional()
      .describe(
        "Headers of the requests, such as `authorization=Bearer%20...`; only as a secret: `pulumi config set --secret --path`.",
      ),
    network: peerNetwork("the receiver").describe("Where NetworkPolicies let the workers through."),
  })
  .check(({ value, issues }) => {
    if (
      value.headers !== undefined &&
      value.network.cidrs !== undefined &&
      schemeOf(value.endpoint) === "http"
    ) {
      issues.push(rule("would be sent out of the cluster in the clear; use an https endpoint", ["headers"]));
    }
  })
  .optional();

/** Labels that every object gets. */
export const labels = labelMap("labels")
  .check(({ value, issues }) => {
    issues.push(...reservedLabelProblems(value));
  })
  .prefault({})
  .describe("Additional labels of every object, such as owner or cost center.");

/** Whether what holds data survives a mistake. */
export const deletionProtection = flag()
  .default(true)
  .describe("Whether namespaces, volumes and keys are protected from deletion and kept by `pulumi destroy`.");
