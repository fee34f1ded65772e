import assert from "node:assert/strict";
import { mutated, mutationsOf } from "../../bench/mutants/mutations";
import { describeMutant, renderReport, scoreOf, type Verdict } from "../../bench/mutants/report";

describe("mutants", () => {
  const cases: readonly [source: string, mutants: readonly string[]][] = [
    ["if (a < 1) b();", ["if (!(a < 1)) b();", "if (a <= 1) b();", "if (a < (1 + 1)) b();", "if (a < 1) ;"]],
    ["const a = b === true ? c : d;", ["!(b === true)", "b !== true", "b === false"]],
    ["const a = b ?? c;", ["const a = (b);"]],
    ["const a = b && !c;", ["b || !c", "b && c"]],
    ["const a = { retry: 5000 };", ["{ retry: 0 }"]],
    ["const a = b - 1;", ["b + 1", "b - (1 + 1)"]],
    ["async function f() { await g(); return h; }", ["{ ; return", "{ g(); return", "return undefined;"]],
    ["const f = () => g();", ["const f = () => undefined;"]],
    ["try { a(); } catch { b(); throw c; }", ["try { ; }", "catch {}", "{ ; throw", "b(); ; }"]],
    ["const type = 'OrderCancelled';", ['const type = "";']],
  ];
  for (const [source, expected] of cases) {
    it(`of ${source}`, () => {
      const found = mutationsOf(source).map((mutation) => mutated(source, mutation));
      assert.equal(found.length, expected.length, found.join("\n"));
      for (const text of expected)
        assert.ok(
          found.some((mutant) => mutant.includes(text)),
          `${text}\n${found.join("\n")}`,
        );
    });
  }

  it("leave types, names, messages and what they would not change alone", () => {
    for (const source of [
      'import { a } from "./a";',
      'type A = "a" | 1;',
      "interface A { b: true }",
      'const a = "a text for people";',
      'const a = b["c"];',
      'const { a } = require("./a");',
      "const a = () => undefined;",
      "try { } catch { }",
    ]) {
      assert.deepEqual(mutationsOf(source), [], source);
    }
  });

  it("count as noticed when a test failed or hung, and name file, line and change otherwise", () => {
    const [mutation] = mutationsOf("\nif (a) b();");
    assert.ok(mutation);
    const mutant = { file: "src/a.ts", mutation, original: "a" };
    const verdicts = (["killed", "timeout", "survived", "none"] as const).map((fate): Verdict => ({
      mutant,
      fate,
    }));
    assert.equal(scoreOf(verdicts), 50);
    assert.equal(describeMutant(mutant), "worker/src/a.ts:2: a → !(a)");
    assert.match(renderReport(verdicts), /score: 50\.0 % of 4 mutants noticed$/);
  });
});
