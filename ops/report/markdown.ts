import { clean, clip } from "./clean";
import type { Report } from "./changeReport";
import { countsText, diffLines, type Quotes, type Section, sectionsOf, verdictText } from "./text";

/** Bytes that a report has at most: comments of GitHub are cut at 65 536 characters, without a word. */
export const MAX_BYTES = 60_000;
/** Kept for what says that something is left out, and for the ends of folded parts. */
const RESERVE = 1_000;
/** The diff gets what the parts above it leave, and they leave something. */
const MAX_SECTION_BYTES = 45_000;
const MAX_LINE = 300;
const MAX_BLOCK = 4_000;
const MAX_DIFF_LINE = 1_000;

const bytes = (text: string): number => Buffer.byteLength(text);

/**
 * Renders a report as GitHub's Markdown, for a comment. Whatever comes from outside stands in code, where neither
 * Markdown, HTML nor mentions mean anything; where there is no room left, the report says how much is missing.
 */
export function renderMarkdown(report: Report): string {
  const parts = [head(report), sections(report)];
  const left = MAX_BYTES - RESERVE - bytes(parts.join("\n"));
  if (report.resources.length > 0) parts.push(foldedDiff(report, left));
  return `${parts.join("\n")}\n`;
}

/** First line of a report of a stack: by it a pipeline finds its comment again. */
export const marker = (stack: string): string =>
  `<!-- temporal-stack preview of ${stack.replace(/[^\w.]+/g, "_")} -->`;

/** Renders why there is no report. */
export const renderFailure = (stack: string, failure: string): string =>
  [marker(stack), `### Preview of stack ${quote(stack)}: FAILED`, quoteMessage(failure), ""].join("\n");

function head(report: Report): string {
  const packs =
    report.policyPacks.length === 0
      ? "no policy pack ran"
      : `policies: ${report.policyPacks.map(quote).join(", ")}`;
  return [
    marker(report.stack),
    `### Preview of stack ${quote(report.stack)}: ${countsText(report)}`,
    "",
    `**${verdictText[report.verdict]}**; ${packs}; state: ${quote(report.source)}`,
    "",
  ].join("\n");
}

function sections(report: Report): string {
  const lines: string[] = [];
  let left = MAX_SECTION_BYTES;
  for (const section of sectionsOf(report, QUOTES)) {
    const text = sectionText(section, left);
    left -= bytes(text);
    lines.push(text);
  }
  return lines.join("\n");
}

function sectionText({ title, entries }: Section, room: number): string {
  const lines = [`**${title}**`, ""];
  let left = room - bytes(title);
  for (const [index, entry] of entries.entries()) {
    const line = `- ${entry}`;
    left -= bytes(line) + 1;
    if (left < 0) {
      lines.push(`- … ${entries.length - index} more that this comment has no room for`);
      break;
    }
    lines.push(line);
  }
  return [...lines, ""].join("\n");
}

function foldedDiff({ resources, stack }: Report, room: number): string {
  const all = resources.flatMap((resource) => [...diffLines(resource), ""]);
  const shown: string[] = [];
  let left = room;
  for (const line of all) {
    const text = clip(clean(line).replace(/\n/g, " "), MAX_DIFF_LINE);
    // The fence grows with the longest run of backticks; at most one line's worth of them is added twice.
    left -= bytes(text) + 1 + 2 * longestRun(text);
    if (left < 0) break;
    shown.push(text);
  }
  const missing = all.length - shown.length;
  const code = fence(shown.join("\n"));
  return [
    `<details><summary>Full diff (${resources.length} ${resources.length === 1 ? "resource" : "resources"})</summary>`,
    "",
    `${code}diff`,
    ...shown,
    code,
    ...(missing === 0
      ? []
      : [
          "",
          `… ${missing} more lines that this comment has no room for. All of them: ` +
            quote(`npm run preview -- --stack ${stack} --diff`),
        ]),
    "",
    "</details>",
  ].join("\n");
}

/** Code, in which nothing means anything. */
function quote(text: string): string {
  const line = clip(
    clean(text)
      .trim()
      .replace(/\s*\n\s*/g, " ⏎ "),
    MAX_LINE,
  );
  const run = longestRun(line);
  const code = "`".repeat(run + 1);
  // A space inside each end is taken away again; it keeps backticks apart.
  return run === 0 && line !== ""
    ? `${code}${line}${code}`
    : `${code} ${line === "" ? "(empty)" : line} ${code}`;
}

/** The same as a block, if there are several lines; it ends the entry that it belongs to. */
function quoteMessage(text: string): string {
  const block = clip(clean(text).trim(), MAX_BLOCK);
  if (!block.includes("\n")) return quote(text);
  const code = fence(block);
  return ["", `${code}text`, ...block.split("\n"), code].join("\n  ");
}

const QUOTES: Quotes = { inline: quote, message: quoteMessage };

const longestRun = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);

/** A fence that no line of the text closes. */
const fence = (text: string): string => "`".repeat(Math.max(3, longestRun(text) + 1));
