import { z } from "zod";

/** How a stack's preview ended, by the exit code of `npm run preview`. */
export const outcomeSchema = z.object({ stack: z.string(), exitCode: z.number().int() });

/** What is known of one stack's preview. */
export interface StackPreview {
  readonly stack: string;
  /** Exit code of the preview; undefined if there is none: it failed before, or it has not run. */
  readonly exitCode?: number | undefined;
  /** The report as Markdown; undefined if none was written. */
  readonly report?: string | undefined;
  /** Whether somebody still has to approve that it runs. */
  readonly pending?: boolean;
}

export interface CommentContent {
  readonly commit: string;
  /** Page of the run, with the whole reports. */
  readonly runUrl: string;
  readonly previews: readonly StackPreview[];
}

/** First line of the comment, by which the next run finds it. */
export const MARKER = "<!-- temporal-stack: preview -->";

/** GitHub takes 65 536 characters. */
const LONGEST = 65_000;

/** The whole comment on a pull request; too long reports are cut, and say so. */
export function commentBody({ commit, runUrl, previews }: CommentContent): string {
  const table = previews.map((preview) => `| ${preview.stack} | ${resultOf(preview)} |`);
  const head = [
    MARKER,
    `### What ${commit.slice(0, 12)} would change`,
    "",
    previews.length === 0 ? "No stack is touched." : "| stack | preview |\n| --- | --- |",
    ...table,
    "",
    `[Run](${runUrl})`,
  ].join("\n");
  const reports = previews.flatMap(({ stack, report }) =>
    report === undefined ? [] : [{ stack, report: report.trim() }],
  );
  let room = LONGEST - head.length;
  // The shortest first: what it leaves of its share is for the longer ones.
  const bySize = [...reports].sort((one, other) => one.report.length - other.report.length);
  const sections = new Map<string, string>();
  bySize.forEach(({ stack, report }, index) => {
    const text = section(stack, report, Math.floor(room / (bySize.length - index)), runUrl);
    room -= text.length;
    sections.set(stack, text);
  });
  return [head, ...reports.map(({ stack }) => sections.get(stack) ?? "")].join("");
}

function resultOf({ exitCode, pending }: StackPreview): string {
  if (pending === true) return "waits for an approval";
  switch (exitCode) {
    case 0:
      return "no changes";
    case 2:
      return "changes, see below";
    case 3:
      return "**refused** by a guard or a policy";
    default:
      return "**failed**: the log of the run says why";
  }
}

function section(stack: string, report: string, room: number, runUrl: string): string {
  const start = `\n\n<details><summary>Report of stack ${stack}</summary>\n\n`;
  const end = "\n\n</details>";
  const limit = room - start.length - end.length;
  return `${start}${report.length <= limit ? report : cut(report, limit, runUrl)}${end}`;
}

/** Cuts at the end of a line, and closes what is open there. */
function cut(report: string, limit: number, runUrl: string): string {
  const notice = `\n\n**Cut here**: the whole report (${report.length} characters) is in the summary of the [run](${runUrl}).`;
  const reserve = 400;
  const text = report.slice(0, Math.max(0, limit - notice.length - reserve));
  const kept = text.slice(0, Math.max(0, text.lastIndexOf("\n")));
  const fence = openFence(kept);
  const open = count(kept, /<details\b/g) - count(kept, /<\/details>/g);
  return [kept, fence, "</details>".repeat(Math.min(Math.max(open, 0), 20))]
    .filter((part) => part !== "")
    .join("\n")
    .concat(notice);
}

function openFence(text: string): string {
  let open = "";
  for (const line of text.split("\n")) {
    const fence = /^(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) continue;
    if (open === "") open = fence;
    else if (fence.startsWith(open)) open = "";
  }
  return open.slice(0, 100);
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
