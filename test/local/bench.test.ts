import assert from "node:assert/strict";
import { finishedSteps } from "../../local/bench/stepLines";
import { median, ratio, render, seconds } from "../../local/bench/table";

describe("bench", () => {
  it("reads the steps' times from plain lines", () => {
    const output = [
      "official downloads cannot be reached: the same versions are built",
      "[STARTED] pulumi up",
      "[OUTPUT] updated [3s]",
      "[COMPLETED] Debian packages: etcd, containerd, Docker, registry [0.4s]",
      "[COMPLETED] build kubernetes 1.34.9 [7m0s]",
      "[COMPLETED] pulumi up [18s]",
      "[COMPLETED] without a time",
      "[FAILED] first workflow [2s]",
    ];
    assert.deepEqual(finishedSteps(output.join("\n")), [
      { title: "Debian packages: etcd, containerd, Docker, registry", seconds: 0.4 },
      { title: "build kubernetes 1.34.9", seconds: 420 },
      { title: "pulumi up", seconds: 18 },
    ]);
  });

  it("takes the middle value", () => {
    assert.equal(median([3]), 3);
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([9, 1, 5, 2]), 3.5);
    assert.throws(() => median([]), /no median/);
  });

  it("prints a table that says which limits are kept", () => {
    const figures = [seconds("npm test", 12.34, 15), seconds("  build", 420), ratio("preview", 1.512, 1.5)];
    assert.equal(
      render(figures),
      [
        "figure    measured     limit",
        "npm test    12.3 s  ≤ 15.0 s  kept",
        "  build      420 s",
        "preview       1.51    ≤ 1.50  EXCEEDED",
      ].join("\n"),
    );
  });
});
