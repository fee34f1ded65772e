import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isWorkflowFunctionWithOptions } from "@temporalio/common";
import * as exported from "../../src/workflows";
import { recordedHistories } from "../histories";

const FOLDER = join(__dirname, "..", "..", "src", "workflows");
const files = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== "index.ts")
  .map(({ name }) => name);
const workflows = Object.entries(exported);

const camelCase = (file: string): string =>
  file.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

describe("workflows", () => {
  it("are exported by index.ts, each file with one of its own name", () => {
    const names = workflows.map(([name]) => name);
    assert.deepEqual(
      files.filter((file) => !names.includes(camelCase(file))),
      [],
      "not exported by src/workflows/index.ts",
    );
  });

  it("have a recorded history each, of which none is left over", () => {
    assert.deepEqual(
      [...new Set(recordedHistories().map(({ workflowType }) => workflowType))].sort(),
      workflows.map(([name]) => name).sort(),
      "npm run histories:record, with a scenario for every workflow in test/server/record-histories.ts",
    );
  });

  describe("of a worker with versioning", () => {
    before(() => {
      globalThis.workerVersioning = true;
    });
    after(() => {
      globalThis.workerVersioning = undefined;
    });

    const behavior = (workflow: object): string | undefined => {
      assert.ok(isWorkflowFunctionWithOptions(workflow), "declareVersioning is missing");
      const { workflowDefinitionOptions: options } = workflow;
      return (typeof options === "function" ? options() : options).versioningBehavior;
    };

    for (const [name, workflow] of workflows) {
      it(`${name} declares its behaviour`, () => {
        assert.match(behavior(workflow) ?? "", /^(PINNED|AUTO_UPGRADE)$/);
      });
    }

    it("declare nothing where the worker has none: the server would refuse it", () => {
      globalThis.workerVersioning = undefined;
      assert.deepEqual(workflows.map(([, workflow]) => behavior(workflow)).filter(Boolean), []);
    });
  });
});
