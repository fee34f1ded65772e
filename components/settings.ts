import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { charts } from "./settings/charts";
import { payloadEncryption } from "./settings/payloadEncryption";
import { policyExceptions } from "./settings/policyExceptions";
import { postgres } from "./settings/postgres";
import { settingsProblems } from "./settings/problems";
import { quarantine } from "./settings/quarantine";
import {
  deletionProtection,
  kubernetes,
  labels,
  namespaces,
  networkAccess,
  temporal,
  tracing,
  workerImage,
} from "./settings/sections";
import { sectionProblems } from "./settings/sectionRules";
import { mergedConfig, type SettingsSource, sourceOfThisRun } from "./settings/source";
import { workers } from "./settings/workers";

export type { CodecServerSettings } from "./settings/payloadEncryption";
export type { SettingsSource } from "./settings/source";
export type { ManagedPostgresSettings, PostgresClusterSettings } from "./settings/postgres";
export type { ChartServerSettings, TemporalNamespaceSettings } from "./settings/temporal";
export type { ResourceSettings, WorkerSettings } from "./settings/workers";

/** Everything that `Pulumi.<stack>.yaml` may say under `temporal-stack:`. */
export const settingsSchema = z
  .strictObject({
    kubernetes: kubernetes.describe("Which cluster, and how to reach it."),
    namespaces: namespaces.describe("Names of the Kubernetes namespaces."),
    temporal: temporal.describe("How there comes to be a Temporal server."),
    postgres: postgres.optional().describe("Where a Temporal server of mode `chart` keeps its data."),
    charts: charts.describe("Where Helm charts come from."),
    workerImage: workerImage.describe("The image that every worker group runs."),
    workers: workers.describe("Groups of worker pods."),
    payloadEncryption: payloadEncryption.describe("Encryption of payloads before they leave the worker."),
    tracing: tracing.describe("Where the workers send traces; nowhere by default."),
    networkAccess: networkAccess.describe("Who may connect, beyond the stack's own flows."),
    labels,
    quarantine: quarantine.describe("Worker images that a rollback left behind."),
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
  const problems = settingsProblems(settingsSchema, source, merged, parsed.error?.issues ?? []);
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
  return { ...parsed.data, stack: source.stack };
}

/**
 * The settings of the stack that is being deployed.
 * @throws pulumi.RunError as {@link parseSettings}
 */
export function loadSettings(): Settings {
  return parseSettings(sourceOfThisRun());
}
