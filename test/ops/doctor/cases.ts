import assert from "node:assert/strict";
import { type Finding, type Verdict, worst } from "../../../ops/doctor/finding";

/** What is judged, the verdict, and what the findings and remedies say, a line each. */
export type Case = readonly [judge: () => readonly Finding[], verdict: Verdict, says?: RegExp];

/** Declares a test for each case; what is not well has a remedy. */
export function verdicts(cases: Readonly<Record<string, Case>>): void {
  for (const [what, [judge, verdict, says = /^/]] of Object.entries(cases)) {
    it(`${what}: ${verdict}`, () => {
      const findings = judge();
      const text = textOf(findings);
      assert.equal(worst(findings), verdict, text);
      assert.match(text, says);
      for (const finding of findings)
        assert.equal(finding.remedy === undefined, finding.verdict === "ok", finding.found);
    });
  }
}

/** Findings and remedies, a line each. */
export const textOf = (findings: readonly Finding[]): string =>
  findings.flatMap(({ found, remedy }) => [found, remedy ?? ""]).join("\n");
