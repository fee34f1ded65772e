import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rotationPlan } from "../../ops/rotate/plan";
import { withSettings } from "../../ops/stack/stackFileEdit";
import { STACK_FILES } from "../support/stackFiles";

type Credentials = Parameters<typeof rotationPlan>[0];

/** Credentials after one step. */
function after(
  credentials: Credentials,
  step: ReturnType<typeof rotationPlan>["steps"][number],
): Credentials {
  const [first, role] = step.key;
  return first === "loginRole"
    ? { ...credentials, loginRole: step.value === "a" ? "a" : "b" }
    : {
        ...credentials,
        passwordGenerations: { ...credentials.passwordGenerations, [role ?? ""]: Number(step.value) },
      };
}

describe("rotation of the database password", () => {
  const fresh: Credentials = { loginRole: "a", passwordGenerations: { a: 1, b: 1 } };

  it("moves to the idle role, then changes the password of the one that was left, in turns", () => {
    let credentials = fresh;
    for (const expected of [
      { loginRole: "b", passwordGenerations: { a: 2, b: 1 } },
      { loginRole: "a", passwordGenerations: { a: 2, b: 2 } },
      { loginRole: "b", passwordGenerations: { a: 3, b: 2 } },
    ]) {
      const { resumes, steps } = rotationPlan(credentials);
      assert.equal(resumes, false);
      assert.equal(steps.length, 2);
      credentials = steps.reduce(after, credentials);
      assert.deepEqual(credentials, expected);
    }
  });

  it("never changes the password of the role in use", () => {
    let credentials = fresh;
    for (let round = 0; round < 4; round++) {
      for (const step of rotationPlan(credentials).steps) {
        assert.notEqual(step.key[1], credentials.loginRole);
        credentials = after(credentials, step);
      }
    }
  });

  it("ends one that was interrupted half-way, and does not start another", () => {
    let credentials = fresh;
    for (let round = 0; round < 4; round++) {
      const [move, renew] = rotationPlan(credentials).steps;
      assert.ok(move !== undefined && renew !== undefined);
      const interrupted = after(credentials, move);
      const plan = rotationPlan(interrupted);
      assert.equal(plan.resumes, true);
      assert.deepEqual(plan.steps, [renew]);
      credentials = after(interrupted, renew);
    }
  });

  it("changes one setting of the stack file and nothing else, comments included", () => {
    const text = readFileSync(join(STACK_FILES, "Pulumi.prod.yaml"), "utf8");
    const changed = withSettings(text, [{ path: ["postgres", "credentials", "loginRole"], new: "b" }]);
    const added = "    credentials:\n      loginRole: b\n";
    assert.ok(changed.includes(added));
    assert.equal(changed.replace(added, ""), text);
  });
});
