import assert from "node:assert/strict";
import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GateReport, type GroupReport, groupReportSchema } from "../../ops/replay/replayReport";
import { openOrders } from "./histories";
import { startOrders } from "./orders";
import { checkout, kubectl, orderCommand, pulumi, run, sourcedEnvironment } from "./support";
import { z } from "zod";
import { eventually } from "../support/eventually";

const OPEN_ORDERS = 5;
/** Longer than these tests take. */
const DELAY_SECONDS = 3600;

const statusSchema = z.object({ phase: z.string() });

async function replay(
  ...args: string[]
): Promise<{ exitCode: number | undefined; output: string; candidate: string; group: GroupReport }> {
  const command = ["npm", "run", "--silent", "replay", "--", "--stack", "local", "--json", ...args];
  const { exitCode, output } = await run(command, { env: sourcedEnvironment() });
  const line = output.split("\n").find((text) => text.startsWith("{"));
  assert.ok(line !== undefined, output);
  const { candidate, groups } = JSON.parse(line) as GateReport;
  const [first] = groups;
  return { exitCode, output, candidate, group: { group: "", ...groupReportSchema.parse(first) } };
}

/** Names of the jobs that replay, or have. */
const replayJobs = (): Promise<string> =>
  kubectl("get", "jobs", "--namespace", "temporal-workers", "--output=jsonpath={.items[*].metadata.name}");

describe("npm run replay", () => {
  let ids: string[];

  before("orders wait on their timers", async () => {
    ids = await startOrders(OPEN_ORDERS, DELAY_SECONDS);
    await eventually("they are on their timers, and listed", async () => {
      const { lines } = await orderCommand("--status", ...ids);
      const preparing = lines.filter((line) => statusSchema.parse(line).phase === "preparing");
      return preparing.length === ids.length && (await openOrders()) >= OPEN_ORDERS;
    });
  });

  it("passes the checkout from which the stack was deployed", async () => {
    const { exitCode, output, candidate, group } = await replay();
    assert.equal(exitCode, 0, output);
    assert.equal(candidate, "this checkout");
    assert.ok(group.open >= OPEN_ORDERS, output);
    assert.equal(group.compatible, group.open - group.gone);
  });

  it("passes the image that runs, by its digest, in a job with what its group is given", async () => {
    const { output: text } = await pulumi("stack", "output", "workerImage");
    const image = text.trim().split("\n").at(-1) ?? "";
    const { exitCode, output, candidate, group } = await replay("--image", image.replace(/^.*@/, ""));
    assert.equal(exitCode, 0, output);
    assert.equal(candidate, image);
    assert.ok(group.compatible >= OPEN_ORDERS, output);
    await eventually("no job is left", async () => (await replayJobs()) === "");
  });

  it("stops a change that breaks what is open, and names every workflow and its event", async () => {
    const workflows = join(checkout, "worker", "src", "workflows");
    const [index, deployed] = [join(workflows, "index.ts"), join(workflows, "deployed.ts")];
    renameSync(index, deployed);
    try {
      writeFileSync(
        index,
        `import { sleep } from "@temporalio/workflow";
         import { order as deployed } from "./deployed";
         export * from "./deployed";
         export async function order(...args: Parameters<typeof deployed>): ReturnType<typeof deployed> {
           await sleep("1 s");
           return deployed(...args);
         }`,
      );
      const { exitCode, output, group } = await replay();
      assert.equal(exitCode, 3, output);
      const broken = group.incompatible.filter(({ workflowId }) => ids.includes(workflowId));
      assert.deepEqual(broken.map(({ workflowId }) => workflowId).sort(), [...ids].sort());
      for (const { kind, event, message } of broken) {
        assert.equal(kind, "nondeterminism");
        assert.ok(event.id > 4 && event.type !== "", message);
        assert.match(message, /TMPRL1100/);
      }
    } finally {
      renameSync(deployed, index);
    }
  });

  it("tells a stack and a digest that are not there from a candidate that breaks workflows", async () => {
    const env = sourcedEnvironment();
    const gate = ["npm", "run", "--silent", "replay", "--", "--stack"];
    const stack = await run([...gate, "nowhere"], { env });
    assert.equal(stack.exitCode, 78, stack.output);
    const image = await run([...gate, "local", "--image", `sha256:${"0".repeat(64)}`], { env });
    assert.equal(image.exitCode, 1, image.output);
  });

  it("leaves no keys behind", () => {
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith("temporal-stack-replay-")),
      [],
    );
  });
});
