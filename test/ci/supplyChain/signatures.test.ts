import assert from "node:assert/strict";
import { signatureAnswer } from "../../../ci/supplyChain/signatures";

describe("signatures of packages", () => {
  const entry = (name: string) => ({ name, version: "1.0.0", location: "", registry: "", integrity: "" });
  const answer = (content: unknown) => signatureAnswer(JSON.stringify(content));

  it("are missing or wrong, and then named", () => {
    assert.deepEqual(answer({ invalid: [], missing: [] }), { problems: [] });
    assert.deepEqual(answer({ invalid: [entry("a")], missing: [entry("@b/c")] }).problems, [
      "a@1.0.0: the signature is WRONG",
      "@b/c@1.0.0: not signed",
    ]);
  });

  it("are not checked where npm has no answer", () => {
    const unreachable = {
      error: { code: "ENOTFOUND", summary: "request to https://keys failed", detail: "" },
    };
    assert.equal(answer(unreachable).notChecked, "request to https://keys failed");
    assert.equal(signatureAnswer("").notChecked, "npm gave no answer");
    assert.equal(answer({ invalid: [] }).notChecked, "npm gave no answer");
  });
});
