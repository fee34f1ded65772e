import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { programFolder } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { footprintBefore } from "./machine";
import { killedAt, order, pulumi, run, succeed } from "./support";

describe("npm run up", () => {
  before("the machine is clean", async () => {
    await succeed(["npm", "run", "down"]);
    footprintBefore.take();
  });

  it("may be killed in the middle of a build", async () => {
    const folder = programFolder(programs.localPathProvisioner);
    rmSync(folder, { recursive: true });
    await killedAt("[STARTED] build local-path-provisioner", ["npm", "run", "up", "--", "--native"]);
    assert.ok(!existsSync(folder), "half a program was installed");
  });

  it("may be killed while the cluster starts", async () => {
    await killedAt("[STARTED] Kubernetes control plane", ["npm", "run", "up", "--", "--native"]);
  });

  it("carries on, and ends with a finished workflow, its result and the UI's address", async () => {
    const output = await succeed(["npm", "run", "up", "--", "--native"]);
    assert.match(output, /The first workflow has finished/);
    assert.match(output, /result +\{"buildId":"/);
    const address = /UI (http:\/\/\S+)/.exec(output)?.[1] ?? "";
    assert.match(await (await fetch(address)).text(), /<html/i);
  });

  it("says that policies are not enforced yet", async () => {
    const output = await succeed(["npm", "run", "up"]);
    assert.match(output, /NOT enforced here; npm run addons/);
  });

  it("leaves the stack file of the checkout alone", async () => {
    const { output } = await run(["diff", "-u", `${__dirname}/../../Pulumi.local.yaml`, "Pulumi.local.yaml"]);
    assert.equal(output, "");
  });

  it("changes nothing when it runs again", async () => {
    const { exitCode, output } = await pulumi("preview", "--expect-no-changes");
    assert.equal(exitCode, 0, output);
  });

  it("shows a workflow that fails, with its exit code and cause", async () => {
    const { exitCode, orders } = await order("--fail", "card-declined");
    assert.equal(exitCode, 1);
    const [failed] = orders;
    assert.equal(failed?.status, "failed");
    assert.match(JSON.stringify(failed.failure), /CardDeclined/);
  });
});
