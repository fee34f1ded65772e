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

  it("leaves out credentials, keys, tasks and payloads at any depth, whatever they are called", () => {
    const sink = capture();
    const logger = createLogger("trace", {}, sink);
    const names = [
      ...[
        "task",
        "taskEncoded",
        "taskToken",
        "apiKey",
        "api_key",
        "x-api-key",
        "authorization",
        "Authorization",
      ],
      ...["password", "clientSecret", "accessToken", "privateKey", "codecKey", "headers", "payloads", "memo"],
    ];
    for (const name of names) {
      logger.info(
        { kept: "kept", [name]: "hidden", inner: [{ deep: { [name]: { list: ["hidden"] } } }] },
        "x",
      );
    }
    logger.info(
      { jobs: [{ arguments: [{ data: Buffer.from("hidden") }] }], raw: new Uint8Array([104, 105]) },
      "x",
    );
    assert.equal(sink.lines.length, names.length + 1);
    const text = JSON.stringify(sink.lines.map((line) => ({ ...line, time: undefined })));
    assert.ok(!text.includes("hidden") && !text.includes("104"), text);
    assert.ok(sink.lines.slice(0, -1).every((line) => line["kept"] === "kept"));
  });

  it("describes errors wherever they stand, without what they carry", () => {
    const sink = capture();
    const failure = ApplicationFailure.create({ type: "CardDeclined", message: "no", details: ["hidden"] });
    const logger = createLogger("trace", {}, sink);
    logger.error({ error: failure, nested: { reason: failure } }, "x");
    logger.error(failure);
    const text = JSON.stringify(sink.lines);
    assert.ok(!text.includes("hidden"), text);
    assert.equal(text.match(/"type":"CardDeclined: no"/g)?.length, 3, text);
  });

  it("writes types and places of errors alone if told to", () => {
    const sink = capture();
    const cause = new TypeError("hidden");
    const failure = new Error("hidden\nhidden", { cause });
    const logger = createLogger("info", {}, sink, { failureMessages: false });
    logger.error({ error: failure, nested: [{ failure }] }, "activity failed");
    const [line] = sink.lines;
    assert.ok(!JSON.stringify(line).includes("hidden"), JSON.stringify(line));
    const { type, causes, stack } = line?.["error"] as Line;
    assert.deepEqual([type, causes], ["Error", ["TypeError"]]);
    assert.match(String(stack), /^\s+at .*logger\.test\.ts/);
  });

  it("takes credentials out of texts, and the line stays JSON", () => {
    const sink = capture();
    const key = "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----";
    const logger = createLogger("info", {}, sink);
    logger.info(
      { error: new Error("sent Authorization: Bearer hiddenhidden.hidden-hidden") },
      "got Basic aGlkZGVu==",
    );
    logger.info({ key, cut: key.slice(0, 35), after: "kept" }, key);
    const text = JSON.stringify(sink.lines);
    assert.ok(!/hidden|aGlkZGVu/.test(text), text);
    assert.equal(sink.lines[1]?.["after"], "kept");
    logger.info("Basic authentication was refused");
    assert.equal(sink.lines[2]?.["msg"], "Basic authentication was refused");
  });

  it("gives what workflows, activities and the core spell differently one name", () => {
    const sink = capture();
    const logger = sdkLogger(createLogger("info", {}, sink));
    logger.info("activity", { workflowRunId: "r", taskToken: "hidden", attempt: 2 });
    logger.info("core", { run_id: "r", workflow_id: "w", task_queue: "q" });
    const [activity, core] = sink.lines;
    assert.deepEqual([activity?.["runId"], activity?.["attempt"]], ["r", 2]);
    assert.deepEqual([core?.["runId"], core?.["workflowId"], core?.["taskQueue"]], ["r", "w", "q"]);
    assert.ok(!JSON.stringify(sink.lines).includes("hidden"));
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
    const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
    assert.deepEqual(causeChain(refused), ["AggregateError: ECONNREFUSED"]);
  });
});
