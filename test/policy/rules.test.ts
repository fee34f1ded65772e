import assert from "node:assert/strict";
import { RULES } from "../../policy/catalogue";
import { findingsOf } from "../../policy/evaluate";
import { objectCases } from "./cases/objects";
import { podCases } from "./cases/pods";
import { stackCases } from "./cases/stack";

const cases = { ...podCases, ...stackCases, ...objectCases };

describe("policies", () => {
  it("are at least 25, each with an id of its own and words that say what to do", () => {
    const ids = RULES.map(({ id }) => id);
    assert.ok(ids.length >= 25);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, title, reason, fix } of RULES) {
      assert.match(id, /^[a-z]+(-[a-z]+)*$/);
      assert.match(title, /\.$/, id);
      assert.match(reason, /\.$/, id);
      assert.match(fix, /^[a-z`].*[^.]$/, id);
    }
  });

  it("refuse in production, and never where things are tried out", () => {
    for (const { id, levels } of RULES) {
      assert.equal(levels.prod, "mandatory", id);
      assert.notEqual(levels.dev, "mandatory", id);
      assert.notEqual(levels.local, "mandatory", id);
    }
  });

  it("have a case each, and no case is of a policy that is gone", () => {
    assert.deepEqual(Object.keys(cases).sort(), RULES.map(({ id }) => id).sort());
  });

  for (const rule of RULES) {
    describe(rule.id, () => {
      const { keeps = {}, breaks = {} } = cases[rule.id] ?? {};
      it("passes what keeps it", () => {
        assert.ok(Object.keys(keeps).length > 0);
        for (const [what, subjects] of Object.entries(keeps)) {
          assert.deepEqual(findingsOf(rule, subjects, "prod"), [], what);
        }
      });
      it("finds what breaks it, and repeats no value", () => {
        assert.ok(Object.keys(breaks).length > 0);
        for (const [what, subjects] of Object.entries(breaks)) {
          const findings = findingsOf(rule, subjects, "prod");
          assert.notEqual(findings.length, 0, what);
          assert.ok(findings.every(({ policy, level }) => policy === rule.id && level === "mandatory"));
          assert.doesNotMatch(JSON.stringify(findings), /hunter2/);
        }
      });
    });
  }
});
