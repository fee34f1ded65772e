import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { join } from "node:path";
import { renderMarkdown } from "../ops/report/markdown";
import { PlanReader } from "../ops/report/plan";
import { reportOf } from "../ops/report/changeReport";
import { renderTerminal } from "../ops/report/terminal";
import { checkout } from "../common/paths";
import { type Figure, seconds } from "./table";

/** By issue 6. */
const LIMIT = 1;
const RESOURCES = 500;

/** Times the report of a preview of many resources, from the engine's lines to both renderings. */
export async function reportFigures(): Promise<Figure[]> {
  const lines = await largePreview();
  const started = performance.now();
  const reader = new PlanReader();
  for (const line of lines) reader.add(line);
  const findings = {
    stack: "large",
    source: "a recorded preview",
    succeeded: true,
    config: [],
    unknowns: [],
  };
  const report = reportOf({ ...findings, plan: reader.plan() });
  renderMarkdown(report);
  renderTerminal(report, { diff: true });
  const taken = (performance.now() - started) / 1_000;
  if (report.resources.length !== RESOURCES)
    throw new Error(`${report.resources.length} resources were read`);
  return [seconds(`report of a preview of ${RESOURCES} resources that change`, taken, LIMIT)];
}

/** The changes of a recorded preview, again and again under other names. */
async function largePreview(): Promise<string[]> {
  const recorded = await readFile(join(checkout, "test", "ops", "previews", "newVersions.ndjson"), "utf8");
  const changes = recorded.split("\n").filter((line) => line.includes('"op":"update"'));
  return Array.from({ length: RESOURCES }, (_, index) =>
    (changes[index % changes.length] ?? "").replace(/"urn":"([^"]+)"/g, `"urn":"$1-${index}"`),
  );
}
