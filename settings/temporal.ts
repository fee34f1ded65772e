import { z } from "zod";
import { charts as pins, images as imagePins } from "./versions";
import { chartVersion } from "./charts";
import { chartValues } from "./chartValues";
import { ifWrongType, integer, oneOf, rule, text } from "./fields";
import { imagePin } from "./imagePin";
import { versionedImage } from "./images";
import { dnsLabel, inYaml, searchAttributes, temporalNamespace } from "./names";
import { minorOf } from "./imageVersion";
import { ui } from "./temporalUi";
import { containerResources } from "./workers";

/** Roles of the Temporal server; each is a Deployment of its own. */
export const SERVER_ROLES = ["frontend", "history", "matching", "worker"] as const;
/** One of the server's roles. */
export type ServerRole = (typeof SERVER_ROLES)[number];

/** Seconds to whose multiples the server aligns changes of its ring, so that all pods see them at once. */
export const ALIGNMENT_SECONDS = 10;
/** Seconds that a server process takes to leave the ring and stop, after its drain. */
const STOP_SECONDS = ALIGNMENT_SECONDS + 10;

const serverRole = (what: string, defaults: { cpu: string; memory: string; memoryLimit: string }) =>
  z
    .strictObject({
      replicas: integer("pods", 1, 100)
        .default(2)
        .describe(`Pods of the ${what}; 2 survive a node drain. Maintainers advise against autoscaling.`),
      resources: containerResources(defaults),
    })
    .prefault({});

const namespace = z.strictObject({
  name: temporalNamespace.describe("Name of the Temporal namespace."),
  retentionDays: integer("days", 1, 3650).default(30).describe("Days for which closed workflows are kept."),
  shortenRetentionToDays: integer("days", 1, 3650)
    .optional()
    .describe(
      "Acknowledges that a shorter retention deletes history permanently; must equal `retentionDays` when that is lowered.",
    ),
  description: text("one line of at most 200 printable characters without quotes", /^[^\p{C}"'`$\\]*$/u, 200)
    .default("")
    .describe("What the namespace is for."),
  searchAttributes: searchAttributes()
    .default({})
    .describe("Custom search attributes: types by name. They can be added, never removed."),
});

const namespaces = z
  .array(namespace, { error: "a list of Temporal namespaces" })
  .min(1, { error: "a list of at least one Temporal namespace" })
  .max(50, { error: "a list of at most 50 Temporal namespaces" })
  .check(({ value, issues }) => {
    value.forEach(({ name }, index) => {
      const earlier = value.findIndex((entry) => entry.name === name);
      if (earlier !== index) {
        issues.push(
          rule(`"${name}" is the name of namespaces[${earlier}] already; choose another`, [index, "name"]),
        );
      }
    });
  });

/** The official Temporal chart with Postgres. */
export const chart = z
  .strictObject({
    mode: z.literal("chart").describe("The official Helm chart, with Postgres as section `postgres` says."),
    chartVersion: chartVersion(pins.temporal.version, "the Temporal chart"),
    chartValues,
    images: z
      .strictObject({
        server: versionedImage("an image of the Temporal server")
          .default(imagePin(imagePins.temporalServer))
          .describe("Image of all server roles. One minor version at a time."),
        adminTools: versionedImage("an image of the Temporal admin tools")
          .default(imagePin(imagePins.temporalAdminTools))
          .describe("Image with schema tools and Temporal CLI; same minor version as the server."),
      })
      .prefault({}),
    historyShards: integer("shards", 1, 16384)
      .default(512)
      .describe(
        "Shards of workflow histories. Can never change: the database keeps the first number. 512 carry about 1000 state transitions a second; 2048 to 4096 are for several thousand.",
      ),
    cluster: z
      .strictObject({
        name: inYaml(dnsLabel("a cluster name"))
          .default("active")
          .describe("Name of this Temporal cluster in replication. Can never change."),
        initialFailoverVersion: integer("version", 1, 999)
          .default(1)
          .describe(
            "Distinguishes this cluster from others that it may replicate with; each has its own. Can never change.",
          ),
        failoverVersionIncrement: integer("increment", 1, 1000)
          .default(10)
          .describe(
            "Must exceed the number of clusters that will ever replicate with each other. Can never change.",
          ),
        peers: z
          .array(dnsLabel("a cluster name"))
          .default([])
          .describe(
            "Names of the clusters that this one replicates with. A managed Postgres may record these beside `name`; any other cluster recorded there is refused.",
          ),
      })
      .check(({ value, issues }) => {
        if (value.initialFailoverVersion >= value.failoverVersionIncrement) {
          issues.push(
            rule(
              `must be below failoverVersionIncrement (${value.failoverVersionIncrement}); lower it or raise the increment`,
              ["initialFailoverVersion"],
            ),
          );
        }
      })
      .prefault({}),
    roles: z
      .strictObject({
        frontend: serverRole("frontend", { cpu: "250m", memory: "256Mi", memoryLimit: "1Gi" }),
        history: serverRole("history service", { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" }),
        matching: serverRole("matching service", { cpu: "250m", memory: "256Mi", memoryLimit: "1Gi" }),
        worker: serverRole("internal worker", { cpu: "100m", memory: "192Mi", memoryLimit: "512Mi" }),
      })
      .prefault({}),
    databaseConnections: z
      .strictObject({
        default: integer("connections", 2, 500)
          .default(20)
          .describe("Maximum connections of one server pod to the main database."),
        visibility: integer("connections", 2, 500)
          .default(10)
          .describe("Maximum connections of one server pod to the visibility database."),
      })
      .prefault({}),
    shutdown: z
      .strictObject({
        failHealthCheckSeconds: integer("seconds", 0, 600)
          .default(5)
          .describe("Seconds for which a stopping frontend reports itself unhealthy before it drains."),
        drainSeconds: integer("seconds", 0, 600)
          .default(10)
          .describe("Seconds for which a terminating pod still serves while its peers take over."),
        terminationGracePeriodSeconds: integer("seconds", 1, 3600)
          .default(60)
          .describe("Seconds after which Kubernetes kills the pod."),
      })
      .check(({ value, issues }) => {
        const needed = value.failHealthCheckSeconds + value.drainSeconds + STOP_SECONDS;
        if (value.terminationGracePeriodSeconds < needed) {
          issues.push(
            rule(
              `Kubernetes would kill the pod after ${value.terminationGracePeriodSeconds} s, before it has failed its health check (${value.failHealthCheckSeconds} s), drained (${value.drainSeconds} s) and stopped (${STOP_SECONDS} s); set at least ${needed}`,
              ["terminationGracePeriodSeconds"],
            ),
          );
        }
      })
      .prefault({}),
    namespace: temporalNamespace
      .default("default")
      .describe("Temporal namespace of the workers; one of `namespaces`."),
    namespaces: namespaces
      .prefault([{ name: "default" }])
      .describe("Temporal namespaces, kept as they are described here. They can be added, never removed."),
    reconcileMinutes: integer("minutes", 1, 59)
      .default(10)
      .describe(
        "Interval in minutes at which the Temporal namespaces are reconciled: manual changes are reverted.",
      ),
    dynamicConfig: z
      .record(
        text("a dynamic configuration key, like frontend.namespaceRPS", /^[a-zA-Z][\w.]*\w$/, 200),
        z.unknown().refine((value) => ["string", "number", "boolean"].includes(typeof value), {
          error: "a text, a number or true/false",
        }),
        ifWrongType("a mapping of keys to values"),
      )
      .default({})
      .describe("Dynamic configuration of the server, by key; applied within 10 s, without a restart."),
    ui,
    logLevel: oneOf(["debug", "info", "warn", "error"]).default("info").describe("Minimum log level."),
    schemaTimeoutSeconds: integer("seconds", 60, 3600)
      .default(300)
      .describe("Seconds after which a schema job that does not succeed is a failure."),
    rolloutTimeoutSeconds: integer("seconds", 600, 7200)
      .default(900)
      .describe(
        "Seconds after which `pulumi up` reports that the release did not become ready; more than `schemaTimeoutSeconds`.",
      ),
  })
  .check(({ value, issues }) => {
    const { images, namespace: own, namespaces: all } = value;
    if (minorOf(images.server) !== minorOf(images.adminTools)) {
      issues.push(
        rule(
          `brings the schema of ${minorOf(images.adminTools)}, but images.server is ${minorOf(images.server)}; name the same version in both`,
          ["images", "adminTools"],
        ),
      );
    }
    const keys = Object.keys(value.dynamicConfig);
    keys.forEach((key, index) => {
      const twin = keys.findIndex((other) => other.toLowerCase() === key.toLowerCase());
      if (twin !== index) {
        issues.push(
          rule(`is the key "${keys[twin] ?? ""}" again: the server ignores case; remove one`, [
            "dynamicConfig",
            key,
          ]),
        );
      }
    });
    if (!all.some(({ name }) => name === own)) {
      issues.push(
        rule(
          `"${own}" is not among temporal.namespaces (${all.map(({ name }) => name).join(", ")}); add it there, or name one of them`,
          ["namespace"],
        ),
      );
    }
    if (value.rolloutTimeoutSeconds <= value.schemaTimeoutSeconds) {
      issues.push(
        rule(
          `is not more than schemaTimeoutSeconds (${value.schemaTimeoutSeconds}), so the release would give up before its schema job; raise it`,
          ["rolloutTimeoutSeconds"],
        ),
      );
    }
  });

/** Settings of a server from the official chart. */
export type ChartServerSettings = z.output<typeof chart>;
/** Settings of one Temporal namespace. */
export type TemporalNamespaceSettings = ChartServerSettings["namespaces"][number];
