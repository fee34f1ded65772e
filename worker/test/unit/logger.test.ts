import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { causeChain } from "../../src/errors";
import { createLogger } from "../../src/logger";
import { sdkLogger } from "../../src/sdk-logger";

type Line = Record<string, unknown>;

function capture(): { lines: Line[]; write: (text: string) => void } {
  const lines: Line[] = [];
  return { lines, write: (text) => void lines.push(JSON.parse(text) as Line) };
}

describe("logger", () => {
  it("writes one JSON object per line, with level and identity", () => {
    const sink = capture();
    const logger = createLogger("info", { identity: "pod@ns" }, sink);
    logger.debug("hidden");
    logger.info({ workflowId: "o" }, "shown");
    assert.equal(sink.lines.length, 1);
    const { time, ...line } = sink.lines[0] ?? {};
    assert.ok(!Number.isNaN(Date.parse(String(time))));
    assert.deepEqual(line, { level: "info", identity: "pod@ns", workflowId: "o", msg: "shown" });
  });

  it("never logs tasks, payloads of failures or API keys", () => {
    const sink = capture();
    const failure = ApplicationFailure.create({ type: "CardDeclined", message: "no", details: ["secret"] });
    createLogger("trace", {}, sink).error(
      {
        task: "secret",
        taskEncoded: "secret",
        taskToken: "secret",
        apiKey: "secret",
        c: { apiKey: "secret" },
        error: failure,
      },
      "x",
    );
    assert.ok(!JSON.stringify(sink.lines).includes("secret"));
    assert.match(JSON.stringify(sink.lines), /CardDeclined: no/);
  });

  it("takes the SDK’s lines, bigints included", () => {
    const sink = capture();
    sdkLogger(createLogger("info", {}, sink)).warn("slow", { taskQueue: "q", nanos: 1n });
    const [line] = sink.lines;
    assert.ok(line);
    assert.deepEqual([line["level"], line["taskQueue"]], ["warn", "q"]);
  });
});

describe("causeChain", () => {
  it("names each cause by its type, and ends on a circle", () => {
    const inner = ApplicationFailure.create({ type: "OutOfStock", message: "none left" });
    assert.deepEqual(causeChain(new Error("outer", { cause: inner })), [
      "Error: outer",
      "OutOfStock: none left",
    ]);
    const circle = new Error("round");
    circle.cause = circle;
    assert.deepEqual(causeChain(circle), ["Error: round"]);
    assert.deepEqual(causeChain("text"), ["text"]);
  });
});
