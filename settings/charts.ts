import { z } from "zod";
import { charts as pins } from "./versions";
import { text } from "./fields";

function repository(fallback: string, charts: string) {
  return text(
    "a chart repository: https://..., http://... or oci://...",
    /^(https?|oci):\/\/[A-Za-z0-9][^\s?#]*[^\s?#/]$/,
    1000,
  )
    .default(fallback)
    .describe(`Repository of ${charts}; name a mirror of your own where the official one cannot be reached.`);
}

/** Where Helm charts come from. */
export const charts = z
  .strictObject({
    temporalRepository: repository(pins.temporal.repository, "the Temporal chart"),
    cloudNativePgRepository: repository(
      pins.cloudNativePg.repository,
      "the chart of the CloudNativePG operator",
    ),
  })
  .prefault({});

/** An exact chart version: ranges would be resolved anew at each preview. */
export function chartVersion(fallback: string, chart: string) {
  return text("an exact version, like 1.6.0", /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/, 100)
    .default(fallback)
    .describe(`Version of ${chart}.`);
}
