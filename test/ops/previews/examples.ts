import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderMarkdown } from "../../../ops/report/markdown";
import { PlanReader } from "../../../ops/report/plan";
import { type Report, reportOf } from "../../../ops/report/changeReport";
import { renderTerminal } from "../../../ops/report/terminal";

const file = (name: string): string => join(__dirname, name);

/** Lines of a preview that was recorded. */
export const eventsOf = (name: string): string[] =>
  readFileSync(file(`${name}.ndjson`), "utf8")
    .split("\n")
    .filter((line) => line !== "");

/** The report of lines of a preview. */
export function reportOfEvents(lines: Iterable<string>, more: { readonly succeeded?: boolean } = {}): Report {
  const reader = new PlanReader();
  for (const line of lines) reader.add(line);
  const plan = reader.plan();
  const succeeded = more.succeeded ?? plan.diagnostics.every(({ severity }) => severity !== "error");
  return reportOf({ stack: "prod", source: "file:///backend", plan, succeeded, config: [], unknowns: [] });
}

/** The renderings of a report by the end of their file's name. */
export const renderings: Readonly<Record<string, (report: Report) => string>> = {
  md: renderMarkdown,
  txt: (report) => `${renderTerminal(report, { diff: true })}\n`,
};

/** The report as it was when the example was recorded. */
export const recordedRendering = (name: string, end: string): string =>
  readFileSync(file(`${name}.${end}`), "utf8");

/** Writes an example: its events, and the reports that are made from them. */
export function writeExample(name: string, lines: readonly string[]): void {
  writeFileSync(file(`${name}.ndjson`), `${lines.join("\n")}\n`);
  for (const [end, render] of Object.entries(renderings)) {
    writeFileSync(file(`${name}.${end}`), render(reportOfEvents(lines)));
  }
}
