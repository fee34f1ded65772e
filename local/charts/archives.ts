import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { provideAssets } from "../../toolchain/goBuild";
import { type Program, programs } from "../../toolchain/programs";

const sources = join(__dirname, "sources");

/** Programs whose assets are part of a chart, by chart and by folder in it. */
const assets: Readonly<Record<string, Readonly<Record<string, Program>>>> = {
  "cloudnative-pg": { operator: programs.cloudNativePg },
};

const chartSchema = z.looseObject({ name: z.string(), version: z.string() });

/** A chart as a repository's index lists it. */
export type ChartEntry = z.output<typeof chartSchema> & {
  readonly urls: readonly string[];
  /** SHA-256 of the archive. */
  readonly digest: string;
};

/**
 * Makes a chart repository of the charts that stand in for the official ones: their archives and `index.yaml`.
 * Equal sources give equal archives.
 *
 * @param folder where it is made; what was in it is removed
 * @throws Failure when the modules that a chart takes files of cannot be had
 */
export async function makeChartRepository(folder: string): Promise<ChartEntry[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const charts: ChartEntry[] = [];
  for (const source of (await readdir(sources)).sort()) charts.push(await archive(source, folder));
  const entries = Object.fromEntries(charts.map((chart) => [chart.name, [chart]]));
  await writeFile(join(folder, "index.yaml"), stringify({ apiVersion: "v1", entries }));
  return charts;
}

async function archive(source: string, folder: string): Promise<ChartEntry> {
  const staging = await mkdtemp(join(tmpdir(), "temporal-stack-chart-"));
  try {
    const chart = chartSchema.parse(parse(await readFile(join(sources, source, "Chart.yaml"), "utf8")));
    await cp(join(sources, source), join(staging, chart.name), { recursive: true });
    for (const [target, program] of Object.entries(assets[source] ?? {})) {
      await cp(await provideAssets(program), join(staging, chart.name, target), { recursive: true });
    }
    const file = `${chart.name}-${chart.version}.tgz`;
    await execa("tar", [
      ...["--create", "--file", join(folder, file), "--use-compress-program", "gzip --no-name"],
      ...["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"],
      ...["--directory", staging, chart.name],
    ]);
    const digest = createHash("sha256").update(await readFile(join(folder, file)));
    return { ...chart, urls: [file], digest: digest.digest("hex") };
  } finally {
    await rm(staging, { recursive: true });
  }
}
