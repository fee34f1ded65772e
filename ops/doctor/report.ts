import { type ExitCode, exitCodes } from "../../common/exitCodes";
import { clean } from "../report/clean";
import { type Finding, type Verdict, VERDICTS, worst } from "./finding";

/** What came of one check. */
export interface Examined {
  readonly check: string;
  /** What it looks at. */
  readonly about: string;
  readonly findings: readonly Finding[];
  /** Left out because somebody asked for that. */
  readonly skipped?: boolean;
}

/** What came of all of them. */
export interface DoctorReport {
  readonly stack: string;
  readonly checks: readonly Examined[];
}

const verdictOf = ({ skipped, findings }: Examined): Verdict | "skipped" =>
  skipped === true ? "skipped" : worst(findings);

/** What was not checked counts as a failure, unless somebody asked for that: nobody knows whether it holds. */
export function exitCodeOf({ checks }: DoctorReport): ExitCode {
  return checks.some((examined) => /^(failed|not checked)$/.test(verdictOf(examined)))
    ? exitCodes.failed
    : exitCodes.ok;
}

/** Renders a report for the terminal: a line for each finding, its remedy below it. */
export function render({ stack, checks }: DoctorReport): string {
  const rows = checks.flatMap((examined) => {
    const { check, about, skipped, findings } = examined;
    if (skipped === true) return [[check, "skipped", `${about}: left out, as asked`]];
    return findings.flatMap(({ verdict, found, remedy }, index) => [
      [index === 0 ? check : "", verdict === "ok" ? "ok" : verdict.toUpperCase(), found],
      ...(remedy === undefined ? [] : [["", "", `→ ${remedy}`]]),
    ]);
  });
  const header = ["check", "verdict", "found"];
  const widths = [0, 1].map((column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const lines = [header, ...rows].map(([check = "", verdict = "", found = ""]) =>
    `${check.padEnd(widths[0] ?? 0)}  ${verdict.padEnd(widths[1] ?? 0)}  ${found.replaceAll("\n", " ")}`.trimEnd(),
  );
  return clean([...lines, "", summary(stack, checks)].join("\n"));
}

function summary(stack: string, checks: readonly Examined[]): string {
  const counted = [...[...VERDICTS].reverse(), "skipped" as const].flatMap((verdict) => {
    const count = checks.filter((examined) => verdictOf(examined) === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return `stack ${stack}: ${checks.length} checks: ${counted.join(", ")}`;
}

/** The report for programs. */
export const json = ({ stack, checks }: DoctorReport): string =>
  JSON.stringify(
    {
      stack,
      checks: checks.map((examined) => ({
        check: examined.check,
        verdict: verdictOf(examined),
        findings: examined.findings,
      })),
    },
    null,
    2,
  );
