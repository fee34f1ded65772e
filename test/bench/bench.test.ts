import assert from "node:assert/strict";
import { stepTime } from "../../common/progress";
import { finishedSteps } from "../../bench/stepLines";
import { inTurns } from "../../bench/inTurns";
import { atLeast, figure, isKept, median, ratio, render, seconds } from "../../bench/table";
import { processorTicks } from "../../bench/ticks";
import { costFigures } from "../../bench/worker/cost";
import { asIfLimited, deployedEnvironment, deployedMemory } from "../../bench/worker/deployment";
import { newLayers } from "../../bench/worker/rebuild";
import { throughputFigures } from "../../bench/worker/throughput";

describe("bench", () => {
  it("reads the steps' times from plain lines", () => {
    const output = [
      "official downloads cannot be reached: the same versions are built",
      "[STARTED] pulumi up",
      "[OUTPUT] updated [3s]",
      "[COMPLETED] Debian packages: etcd, containerd, Docker, registry [0.4s]",
      "[COMPLETED] build kubernetes 1.34.9 [7m0s]",
      "[COMPLETED] pulumi up [1m18.3s]",
      "[COMPLETED] without a time",
      "[FAILED] first workflow [2s]",
    ];
    assert.deepEqual(finishedSteps(output.join("\n")), [
      { title: "Debian packages: etcd, containerd, Docker, registry", seconds: 0.4 },
      { title: "build kubernetes 1.34.9", seconds: 420 },
      { title: "pulumi up", seconds: 78.3 },
    ]);
  });

  it("reads the times that steps are shown with", () => {
    for (const milliseconds of [0, 49, 51, 12_345, 59_949, 59_951, 60_000, 78_300, 3_600_000]) {
      const [step] = finishedSteps(`[COMPLETED] pulumi up [${stepTime(milliseconds)}]`);
      const tenths = Math.round(milliseconds / 100) / 10;
      assert.ok(Math.abs((step?.seconds ?? NaN) - tenths) < 1e-9, stepTime(milliseconds));
    }
    assert.equal(stepTime(62_345), "1m2.3s");
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

  it("measures two things in turns, and does not count the first run of each", async () => {
    const order: string[] = [];
    const measure = (name: string, factor: number) => (run: number) => {
      order.push(`${name}${run}`);
      return Promise.resolve(run * factor);
    };
    assert.deepEqual(await inTurns(3, measure("a", 1), measure("b", 10)), [2, 20]);
    assert.deepEqual(order, ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"]);
  });

  it("says of a lower bound whether it is reached", () => {
    const figures = [
      ratio("throughput", 1.19, atLeast(1.2)),
      ratio("throughput", 1.2, atLeast(1.2)),
      figure("memory", 312.4, "MiB"),
    ];
    assert.equal(
      render(figures),
      [
        "figure      measured   limit",
        "throughput      1.19  ≥ 1.20  MISSED",
        "throughput      1.20  ≥ 1.20  kept",
        "memory       312 MiB",
      ].join("\n"),
    );
  });

  it("compares workers round by round, not a quiet round with a busy one", () => {
    const measured = (...throughput: number[]) => ({ throughput, peakMebibytes: 1, cpuMs: 20 });
    const [ours, defaults] = [measured(12, 24, 60), measured(10, 20, 40)];
    const load = { orders: 1, concurrency: 1, rounds: 3 };
    const [, , relative] = throughputFigures({ ours, defaults, serverCpuMs: 50 }, load);
    assert.equal(relative?.value, 1.2);
    const slower = throughputFigures({ ours: { ...ours, cpuMs: 23 }, defaults, serverCpuMs: 50 }, load);
    assert.deepEqual(
      slower.filter((it) => !isKept(it)).map(({ name }) => name),
      ["time of the processors for one order ÷ the SDK's defaults"],
    );
    const encrypted = { ...measured(9, 18, 45), cpuMs: 25 };
    const cost = costFigures({ ours, encrypted, traced: measured(12, 24, 60) });
    assert.deepEqual(
      cost.map(({ value }) => value),
      [25, 25, 0, 0],
    );
  });

  it("measures a worker with what its Deployment gives it", () => {
    const env = deployedEnvironment({
      ...{ address: "127.0.0.1:1", taskQueue: "q", traceEndpoint: "http://127.0.0.1:2" },
      keyring: { folder: "/keys", active: "key-1" },
    });
    assert.equal(env["TEMPORAL_ADDRESS"], "127.0.0.1:1");
    assert.equal(env["TEMPORAL_TASK_QUEUES"], "q");
    assert.equal(env["WORKFLOW_TASK_POLLERS"], "auto");
    assert.equal(env["CODEC_KEYS_DIR"], "/keys");
    assert.equal(env["OTEL_TRACES_SAMPLER_ARG"], "0.1");
    assert.deepEqual(asIfLimited(deployedMemory()), {
      NODE_OPTIONS: "--max-old-space-size=358",
      MAX_CACHED_WORKFLOWS: "71",
      ACTIVITY_SLOTS: "24",
      WORKFLOW_TASK_SLOTS: "12",
    });
  });

  it("reads the time that a process has taken, and what its name may not disturb", () => {
    const stat = "7 (node (x) y) S 1 7 7 0 -1 4194560 1 2 3 4 100 20 300 4 20 0 1 0 99";
    assert.deepEqual(processorTicks(stat), { own: 120, withDescendants: 424 });
  });

  it("counts the layers that a registry does not have", () => {
    assert.deepEqual(newLayers(["base", "packages", "old"], ["base", "packages", "new"]), ["new"]);
  });
});
