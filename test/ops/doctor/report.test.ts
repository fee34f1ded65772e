import assert from "node:assert/strict";
import { z } from "zod";
import { cliOf } from "../../../common/pulumi";
import { exitCodes } from "../../../common/exitCodes";
import { type Check, type Subject, Unmet } from "../../../ops/doctor/check";
import { cluster } from "../../../ops/doctor/checks/cluster";
import { runChecks } from "../../../ops/doctor/examine";
import { failed, notChecked, ok, warning } from "../../../ops/doctor/finding";
import { type DoctorReport, exitCodeOf, json, render } from "../../../ops/doctor/report";

const unmet = (): never => {
  throw new Unmet("the cluster cannot be reached");
};
const subject: Subject = {
  stack: "dev",
  cli: cliOf("dev"),
  signal: new AbortController().signal,
  get settings() {
    return unmet();
  },
  get cluster() {
    return unmet();
  },
  get kubeConfig() {
    return unmet();
  },
};
const check = (name: string, examine: Check["examine"], seconds?: number): Check => ({
  name,
  about: name,
  examine,
  ...(seconds === undefined ? {} : { seconds }),
});
const run = (checks: readonly Check[], ...skipped: string[]) =>
  runChecks(checks, subject, { skipped, onStep: () => undefined, signal: subject.signal });
const report = (...checks: DoctorReport["checks"]): DoctorReport => ({ stack: "dev", checks });
const examined = (name: string, ...findings: DoctorReport["checks"][number]["findings"]) => ({
  check: name,
  about: name,
  findings,
});

describe("the doctor's checks", () => {
  it("one that throws was not made, says why, and stops no other", async () => {
    const made = await run([
      check("first", () => Promise.reject(new Error("no route to host"))),
      check("second", async ({ cluster }) => [ok(await cluster.version())]),
      check("third", () => [ok("well")]),
    ]);
    assert.deepEqual(
      made.flatMap(({ findings }) => findings.map(({ verdict, found }) => `${verdict}: ${found}`)),
      ["not checked: no route to host", "not checked: the cluster cannot be reached", "ok: well"],
    );
  });

  it("one without an answer was not made", async () => {
    const [made] = await run([check("slow", () => new Promise<never>(() => undefined), 0.01)]);
    assert.match(made?.findings[0]?.found ?? "", /no answer within 0\.01 s/);
  });

  it("that of the cluster says what keeps everybody from it, and that is the failure", async () => {
    const [made] = await run([cluster({ server: "https://k", problem: "no route to host" })]);
    assert.deepEqual(
      made?.findings.map(({ verdict, found }) => [verdict, found]),
      [["failed", "the cluster https://k cannot be reached: no route to host"]],
    );
  });

  it("one that is left out is not made", async () => {
    const [made] = await run([check("first", () => assert.fail("it was made"))], "first");
    assert.equal(made?.skipped, true);
  });
});

describe("the doctor's report", () => {
  const all = report(
    examined("a", ok("well"), warning("late", "hurry")),
    examined("b", failed("broken", "mend it")),
    examined("c", notChecked("unseen", "look")),
    { ...examined("d"), skipped: true },
  );

  it("fails for what failed and for what nobody knows, not for warnings and what was left out", () => {
    const codes = all.checks.map((one) => exitCodeOf(report(one)));
    assert.deepEqual(codes, [exitCodes.ok, exitCodes.failed, exitCodes.failed, exitCodes.ok]);
  });

  it("has a line for each finding, its remedy below", () => {
    assert.equal(
      render(all),
      [
        "check  verdict      found",
        "a      ok           well",
        "       WARNING      late",
        "                    → hurry",
        "b      FAILED       broken",
        "                    → mend it",
        "c      NOT CHECKED  unseen",
        "                    → look",
        "d      skipped      d: left out, as asked",
        "",
        "stack dev: 4 checks: 1 failed, 1 not checked, 1 warning, 1 skipped",
      ].join("\n"),
    );
  });

  it("is the same for programs", () => {
    const [, second] = z.object({ checks: z.array(z.unknown()) }).parse(JSON.parse(json(all))).checks;
    assert.deepEqual(second, {
      check: "b",
      verdict: "failed",
      findings: [{ verdict: "failed", found: "broken", remedy: "mend it" }],
    });
  });

  it("prints nothing that a terminal would obey", () => {
    assert.doesNotMatch(render(report(examined("a", ok("\u001b[2J")))), /\u001b/);
  });
});
