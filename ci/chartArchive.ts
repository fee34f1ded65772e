import { createHash } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { Failure } from "../common/failure";
import type { Settings } from "../settings/settings";
import { type ChartPin, charts } from "../settings/versions";

const TIMEOUT_MS = 60_000;

const indexSchema = z.object({
  entries: z.record(z.string(), z.array(z.object({ version: z.string(), urls: z.array(z.string()).min(1) }))),
});

/** A chart as a stack takes it: of the pinned name, from the repository and in the version of its settings. */
export interface UsedChart {
  readonly repository: string;
  readonly version: string;
  readonly pin: ChartPin;
}

/** The Helm charts that a stack deploys. */
export function chartsOf({ temporal, postgres, certManager, charts: sources }: Settings): UsedChart[] {
  const used: UsedChart[] = [];
  if (temporal.mode === "chart") {
    used.push({
      repository: sources.temporalRepository,
      version: temporal.chartVersion,
      pin: charts.temporal,
    });
  }
  if (temporal.mode === "chart" && postgres?.mode === "cluster" && postgres.operator.install) {
    const repository = sources.cloudNativePgRepository;
    used.push({ repository, version: postgres.operator.chartVersion, pin: charts.cloudNativePg });
    const { plugin } = postgres.backup ?? {};
    if (plugin?.install === true) {
      used.push({ repository, version: plugin.chartVersion, pin: charts.barmanPlugin });
    }
  }
  if (certManager.install) {
    used.push({
      repository: sources.certManagerRepository,
      version: certManager.chartVersion,
      pin: charts.certManager,
    });
  }
  return used;
}

/**
 * Fetches a chart's archive from its repository and compares it with the pinned checksum.
 *
 * @returns why it cannot be compared; undefined if it is the very archive
 * @throws Failure when it is another archive, or the repository does not give it
 */
export async function checkChart({ repository, version, pin }: UsedChart): Promise<string | undefined> {
  if (repository.startsWith("oci://")) {
    return `${repository} is an OCI registry, whose archives this command does not fetch`;
  }
  if (pin.sha256 === undefined) {
    return `settings/versions.ts has no checksum of chart ${pin.name}, as none could be verified: set sha256 there`;
  }
  if (version !== pin.version) {
    return `the checksum in settings/versions.ts is that of version ${pin.version}: set version and sha256 there`;
  }
  const index = indexSchema.safeParse(parsed((await fetched(`${repository}/index.yaml`)).toString()));
  const [url] = index.data?.entries[pin.name]?.find((entry) => entry.version === version)?.urls ?? [];
  if (url === undefined) {
    throw new Failure(
      `${repository}/index.yaml has no chart ${pin.name} ${version}`,
      "check the version, and the repository in temporal-stack:charts",
    );
  }
  const address = new URL(url, `${repository}/`).href;
  const actual = createHash("sha256")
    .update(await fetched(address))
    .digest("hex");
  if (actual === pin.sha256) return undefined;
  throw new Failure(
    `${address} has checksum ${actual}, but settings/versions.ts has ${pin.sha256}`,
    "the archive is not the one that was tested: ask who runs the repository; after a new version, set sha256 to what the project publishes",
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

async function fetched(url: string): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    throw new Failure(`${url} answers ${response.status}`, "check the repository in temporal-stack:charts");
  } catch (error) {
    if (error instanceof Failure) throw error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Failure(
      `${url} cannot be fetched: ${String(cause)}`,
      "check the network, and the repository in temporal-stack:charts",
    );
  }
}
