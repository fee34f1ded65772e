import { z } from "zod";
import { doorProblems, peer } from "./addresses";
import { integer } from "./fields";
import { labelMap } from "./names";
import { reservedLabelProblems } from "./reservedLabels";

/** Rates are over five minutes, and need four samples in them. */
const LONGEST_SCRAPE_INTERVAL_SECONDS = 60;

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
});

/** What the stack makes for a Prometheus. */
export const monitoring = z.discriminatedUnion("mode", [none, resources]).prefault({ mode: "none" });

/** Settings of the objects for a Prometheus operator. */
export type MonitoringResourcesSettings = Extract<z.output<typeof monitoring>, { mode: "resources" }>;
