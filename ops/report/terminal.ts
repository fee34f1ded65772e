import { clean, clip } from "./clean";
import type { Report } from "./changeReport";
import { countsText, diffLines, sectionsOf, verdictText } from "./text";

/** One message must not push the others off the screen. */
const MAX_TEXT = 4_000;
const MAX_LINE = 500;

export interface TerminalOptions {
  /** Whether every property is shown. */
  readonly diff: boolean;
}

/** Renders a report for the terminal, without colors. */
export function renderTerminal(report: Report, { diff }: TerminalOptions): string {
  const packs =
    report.policyPacks.length === 0 ? "no policy pack ran" : `policies: ${report.policyPacks.join(", ")}`;
  const lines = [
    `stack ${report.stack} (${report.source}): ${countsText(report)}; ${packs}`,
    verdictText[report.verdict],
  ];
  for (const { title, entries } of sectionsOf(report, { inline: oneLine, message: indented })) {
    lines.push("", title, ...entries.map((entry) => `  - ${entry}`));
  }
  if (report.resources.length > 0) {
    lines.push("", "Full diff");
    lines.push(
      ...(diff
        ? report.resources.flatMap((resource) => diffLines(resource)).map((line) => `  ${line}`)
        : [
            ...report.resources.map(
              (resource) => `  ${diffLines(resource)[0] ?? ""}${amount(resource.changes.length)}`,
            ),
            "  every property: the same command with --diff",
          ]),
    );
  }
  return clean(lines.join("\n"));
}

const amount = (count: number): string =>
  count === 0 ? "" : `, ${count} ${count === 1 ? "property" : "properties"}`;

const oneLine = (text: string): string => clip(text.trim(), MAX_LINE).replace(/\s*\n\s*/g, " ⏎ ");

/** A message of several lines stays below its entry. */
const indented = (text: string): string => clip(text.trim(), MAX_TEXT).replace(/\n/g, "\n      ");
