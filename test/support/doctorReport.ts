import { z } from "zod";

const report = z.object({
  checks: z.array(
    z.object({
      check: z.string(),
      verdict: z.string(),
      findings: z.array(z.object({ verdict: z.string(), found: z.string() })),
    }),
  ),
});

/** What `--json` of `npm run doctor` and `npm run conform` printed. */
export function readDoctorReport(output: string) {
  const { checks } = report.parse(JSON.parse(output));
  const findings = checks.flatMap((one) => one.findings.map((found) => ({ check: one.check, ...found })));
  return {
    /** Verdicts by check. */
    of: new Map(checks.map(({ check, verdict }) => [check, verdict])),
    /** For a failed assertion: what is not ok. */
    said: JSON.stringify(
      findings.filter(({ verdict }) => verdict !== "ok"),
      null,
      2,
    ),
  };
}
