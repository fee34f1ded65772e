import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";
import { SAMPLE_RATIO_GLOBAL } from "../../src/tracing/workflow-span";

interface Recorded {
  readonly workflowId: string;
  readonly history: unknown;
}

const FOLDER = join(__dirname, "..", "histories");
const recorded = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

describe("workflows", () => {
  let workflowBundle: WorkflowBundleWithSourceMap;

  before(async function () {
    this.timeout(20_000);
    Runtime.install({
      logger: new DefaultLogger("ERROR", () => undefined),
      telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
    });
    workflowBundle = await bundleWorkflowCode({
      workflowsPath: require.resolve("../../src/workflows"),
      failureConverterPath,
      workflowInterceptorModules: [require.resolve("../../src/tracing/workflow-interceptors")],
      logger: new DefaultLogger("ERROR"),
    });
  });

  const replay = (text: string, prefix = ""): Promise<void> => {
    const { workflowId, history } = JSON.parse(text) as Recorded;
    return Worker.runReplayHistory(
      { workflowBundle: { code: prefix + workflowBundle.code }, dataConverter: { failureConverterPath } },
      history,
      workflowId,
    );
  };

  it("bundle without anything that is not deterministic", () => {
    assert.match(workflowBundle.code, /orderProblems/);
    assert.doesNotMatch(workflowBundle.code, /sample-gateways\.ts|RequestLog/);
  });

  for (const name of recorded) {
    it(`replay ${name}`, () => replay(readFileSync(join(FOLDER, name), "utf8")));
  }

  it("replay with tracing as without", () =>
    replay(
      readFileSync(join(FOLDER, "order-cancelled.json"), "utf8"),
      `globalThis.${SAMPLE_RATIO_GLOBAL}=1;`,
    ));

  it("do not replay a history in which another step was taken", async () => {
    const history = readFileSync(join(FOLDER, "order-completed.json"), "utf8").replaceAll(
      '"charge"',
      '"invoice"',
    );
    await assert.rejects(replay(history), /TMPRL1100/);
  });
});
