import { z } from "zod";
import { charts as pins } from "./versions";
import { url } from "./addresses";
import { text } from "./fields";

function repository(fallback: string, charts: string) {
  return url(
    "a chart repository: https://..., http://... or oci://..., without query and slash at the end",
    ["https", "http", "oci"],
    /^(https?|oci):\/\/[A-Za-z0-9][^\s?#]*[^\s?#/]$/,
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
      "the charts of the CloudNativePG operator and of its backup plugin",
    ),
    certManagerRepository: repository(pins.certManager.repository, "the chart of cert-manager"),
  })
  .prefault({});

/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const SEMANTIC_VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/**
 * An exact chart version: ranges would be resolved anew at each preview. Where the project writes a `v` in front, so does
 * the pinned one, and every other.
 */
export function chartVersion(fallback: string, chart: string) {
  const [prefix, example] = fallback.startsWith("v") ? (["v", "v1.6.0"] as const) : (["", "1.6.0"] as const);
  const pattern = new RegExp(SEMANTIC_VERSION.source.replace("^", `^${prefix}`));
  return text(`an exact semantic version, such as ${example}`, pattern, 100)
    .default(fallback)
    .describe(`Version of ${chart}.`);
}
