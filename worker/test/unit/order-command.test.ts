import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { EXIT_CONFIGURATION } from "../../src/config";

/** The command, which nobody gives anything but these variables. */
const order = (variables: NodeJS.ProcessEnv) =>
  spawn(process.execPath, ["--require", "sucrase/register/ts", join(__dirname, "../../src/cli/order.ts")], {
    env: { PATH: process.env["PATH"], ...variables },
    stdio: ["ignore", "ignore", "pipe"],
  });

describe("the order command", function () {
  // A process that has to be compiled first.
  this.timeout(30_000);

  it("says where the environment comes from when there is none", async () => {
    const command = order({});
    let output = "";
    command.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const [status] = (await once(command, "close")) as [number];
    assert.equal(status, EXIT_CONFIGURATION, output);
    assert.match(output, /TEMPORAL_ADDRESS/);
    assert.match(output, /source env\.sh, which npm run up writes/);
  });

  it("says which Temporal it talks to, before it does", async () => {
    const command = order({
      TEMPORAL_ADDRESS: "127.0.0.1:1",
      TEMPORAL_NAMESPACE: "shop",
      TEMPORAL_TASK_QUEUES: "orders",
    });
    try {
      const [line] = (await once(command.stderr, "data")) as [Buffer];
      assert.match(line.toString(), /^Temporal at 127\.0\.0\.1:1, namespace shop\n/);
    } finally {
      command.kill("SIGKILL");
      await once(command, "close");
    }
  });
});
