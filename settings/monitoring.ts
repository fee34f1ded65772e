import { z } from "zod";
import { doorProblems, peer } from "./addresses";
import { integer, rule, text } from "./fields";
import { dnsLabel, labelMap } from "./names";
import { reservedLabelProblems } from "./reservedLabels";

/** Rates are over five minutes, and need four samples in them. */
const LONGEST_SCRAPE_INTERVAL_SECONDS = 60;

/** Thresholds of the server's histogram of seconds between the schedule and the start of a task. */
const START_SECONDS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100] as const;

const PERCENT = "a number from 95 to 99.99 (percent)";
/** Below 95 %, no share of errors could spend the budget 14.4 times as fast as it lasts. */
const objective = (fallback: number) =>
  z.number({ error: PERCENT }).min(95, { error: PERCENT }).max(99.99, { error: PERCENT }).default(fallback);

const slo = z
  .strictObject({
    start: z
      .strictObject({
        percent: objective(99.9).describe("Percent of the starts of workflows that must succeed in 30 days."),
      })
      .prefault({}),
    scheduleToStart: z
      .strictObject({
        percent: objective(99).describe("Percent of the tasks that a worker must start in time."),
        seconds: z
          .literal([...START_SECONDS], { error: `one of ${START_SECONDS.join(", ")} (seconds)` })
          .default(1)
          .describe("Seconds in which a task must be started; a bucket of the server's histogram."),
      })
      .prefault({}),
  })
  .prefault({});

const backlog = z
  .strictObject({
    tasks: integer("tasks", 1, 1_000_000)
      .default(100)
      .describe("Waiting tasks of one queue from which, if they do not get fewer, somebody is called."),
    seconds: integer("seconds", 1, 86_400)
      .default(300)
      .describe("Seconds that the oldest task of a queue may wait before somebody is called."),
  })
  .prefault({});

const backups = z
  .strictObject({
    hours: integer("hours", 1, 1000)
      .default(26)
      .describe(
        "Hours after which a base backup of `postgres.backup` is too old: more than lie between two of its `schedule`.",
      ),
  })
  .prefault({});

const none = z.strictObject({
  mode: z
    .literal("none")
    .describe("Nothing is made for Prometheus; metrics are open to `networkAccess.metricsFrom` only."),
});

const resources = z.strictObject({
  mode: z
    .literal("resources")
    .describe(
      "Objects for a Prometheus operator that the cluster has already; its resource types must exist (`monitoring.coreos.com/v1`).",
    ),
  prometheus: peer("Prometheus")
    .check(({ value, issues }) => {
      issues.push(...doorProblems(value, "Prometheus", []));
    })
    .describe(
      "Where Prometheus runs: NetworkPolicies let it reach every metrics port, as `networkAccess.metricsFrom` does.",
    ),
  labels: labelMap("labels by which Prometheus selects")
    .check(({ value, issues }) => {
      issues.push(...reservedLabelProblems(value));
    })
    .default({})
    .describe(
      "Labels of the objects by which Prometheus selects them, such as `release: kube-prometheus-stack`; none by default, for a Prometheus that selects all.",
    ),
  intervalSeconds: integer("seconds", 5, LONGEST_SCRAPE_INTERVAL_SECONDS)
    .default(30)
    .describe("Seconds between two scrapes of a pod."),
  groupsWithoutMetrics: z
    .array(dnsLabel("the name of a worker group", 30), { error: "a list of names of worker groups" })
    .default([])
    .describe(
      "Worker groups whose programs publish no metrics: nothing is scraped there, and nobody is called.",
    ),
  slo,
  backlog,
  backups,
  runbooks: text("where the page of the alerts is, without white space and #", /^[^\s#]+$/)
    .default("docs/alerts.md")
    .describe(
      "Where `docs/alerts.md` of this repository can be read: alerts link to its sections. Set it to the URL at which you publish it; by default its path here.",
    ),
});

/** What the stack makes for a Prometheus. */
export const monitoring = z.discriminatedUnion("mode", [none, resources]).prefault({ mode: "none" });

/** What is wrong between the section and the worker groups. */
export function monitoringProblems(
  section: z.output<typeof monitoring>,
  workers: readonly { readonly name: string }[],
): ReturnType<typeof rule>[] {
  if (section.mode === "none") return [];
  return section.groupsWithoutMetrics.flatMap((group, index) =>
    workers.some(({ name }) => name === group)
      ? []
      : [
          rule(
            `"${group}" is no worker group of this stack (${workers.map(({ name }) => name).join(", ")}); correct the name or remove it`,
            ["monitoring", "groupsWithoutMetrics", index],
          ),
        ],
  );
}

/** Settings of the objects for a Prometheus operator. */
export type MonitoringResourcesSettings = Extract<z.output<typeof monitoring>, { mode: "resources" }>;
