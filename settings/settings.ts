import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { certManager } from "./certManager";
import { charts } from "./charts";
import { clients } from "./clients";
import { withMirroredImages } from "./imageMirror";
import { imagePull } from "./imagePull";
import { monitoring } from "./monitoring";
import { networkAccess } from "./networkAccess";
import { payloadEncryption } from "./payloadEncryption";
import { endProblems, policyExceptions } from "./policyExceptions";
import { postgres } from "./postgres";
import { settingsProblems } from "./problems";
import { quarantine } from "./quarantine";
import { scheduling } from "./scheduling";
import {
  deletionProtection,
  kubernetes,
  labels,
  namespaces,
  temporal,
  tracing,
  workerImage,
} from "./sections";
import { sectionProblems } from "./sectionRules";
import { smoke } from "./smoke";
import { dateOf, mergedConfig, type SettingsSource, sourceOfThisRun } from "./source";
import { stackImages } from "./stackImages";
import { workers } from "./workers";

export type { CodecServerSettings } from "./payloadEncryption";
export type { SettingsSource } from "./source";
export type { ManagedPostgresSettings, PostgresClusterSettings } from "./postgres";
export type { ChartServerSettings, TemporalNamespaceSettings } from "./temporal";
export type { ResourceSettings, WorkerSettings } from "./workers";

/** Everything that `Pulumi.<stack>.yaml` may say under `temporal-stack:`. */
export const settingsSchema = z
  .strictObject({
    kubernetes: kubernetes.describe("Which cluster, and how to reach it."),
    namespaces: namespaces.describe("Names of the Kubernetes namespaces."),
    temporal: temporal.describe("Provider of the Temporal server: this stack, or an existing server."),
    postgres: postgres.optional().describe("Where a Temporal server of mode `chart` keeps its data."),
    certManager: certManager.describe(
      "cert-manager, for what needs certificates of its own; the stack uses it only where a setting says so.",
    ),
    charts: charts.describe("Where Helm charts come from."),
    workerImage: workerImage.describe("The image that every worker group runs that names no other."),
    images: stackImages.describe(
      "Images of worker groups from other pipelines, languages and folders, by the name that `workers[].image` says.",
    ),
    imagePull: imagePull.describe(
      "Where the cluster pulls every image of the stack from (server, operator, Postgres, jobs), and how it logs in, for the workers' image, too.",
    ),
    workers: workers.describe("Groups of worker pods."),
    clients: clients.describe(
      "Applications in namespaces of their own that call Temporal: each gets the door, and the connection settings, of one namespace ([connect your app](connect-your-app.md)).",
    ),
    smoke: smoke.describe(
      "The workflow with which `npm run up`, `npm run smoke` and `npm run rollback` show that a worker group works.",
    ),
    payloadEncryption: payloadEncryption.describe("Encryption of payloads before they leave the worker."),
    tracing: tracing.describe("Where the workers send traces; nowhere by default."),
    monitoring: monitoring.describe("What the stack makes for a Prometheus; nothing by default."),
    networkAccess: networkAccess.describe("Who may connect, beyond the stack's own flows."),
    scheduling: scheduling.describe(
      "Where pods run: node labels, tolerations, affinity and priority class, for the whole stack and for each part of it.",
    ),
    labels,
    quarantine: quarantine.describe("Worker images in quarantine."),
    deletionProtection,
    policyExceptions: policyExceptions.describe(
      "Resources that may break a policy of the policy pack for a while; every preview with `--policy-pack policy` reads them.",
    ),
  })
  .check(({ value, issues }) => {
    issues.push(...sectionProblems(value));
  });

/** The settings of one stack: plain, complete and checked. */
export type Settings = z.output<typeof settingsSchema> & {
  /** Name of the stack. */
  readonly stack: string;
};

/** The way to something that the stack does not run. */
export type NetworkSettings = NonNullable<Settings["tracing"]>["network"];
/** Settings of the Temporal server by mode. */
export type TemporalSettings = Settings["temporal"];
/** Settings of a dev server. */
export type DevServerSettings = Extract<TemporalSettings, { mode: "devServer" }>;

/**
 * Checks the settings of a stack.
 * @param source what the stack file and, on stack `local`, this machine's overlay say
 * @throws pulumi.RunError naming every problem at once: key, what was expected, what was found, file,
 * remedy. Values of secrets are never shown.
 */
export function parseSettings(source: SettingsSource): Settings {
  const merged = mergedConfig(source);
  const parsed = settingsSchema.safeParse(merged.value);
  const issues = [
    ...(parsed.error?.issues ?? []),
    ...endProblems(merged.value["policyExceptions"], source.today ?? dateOf(new Date())),
  ];
  const problems = settingsProblems(settingsSchema, source, merged, issues);
  if (!parsed.success || problems.length > 0) {
    const count = problems.length === 1 ? "1 problem" : `${String(problems.length)} problems`;
    throw new pulumi.RunError(
      [
        `${count} in the settings of stack "${source.stack}":`,
        ...problems.map((problem) => `  - ${problem}`),
        `Nothing was changed. Correct ${problems.length === 1 ? "it" : "them"} and run the command again; docs/configuration.md lists every key.`,
      ].join("\n"),
    );
  }
  return { ...withMirroredImages(parsed.data), stack: source.stack };
}

/**
 * The settings of the stack that is being deployed.
 * @throws pulumi.RunError as {@link parseSettings}
 */
export function loadSettings(): Settings {
  return parseSettings(sourceOfThisRun());
}
