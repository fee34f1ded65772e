import assert from "node:assert/strict";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import { Clone } from "../support/namespacesOnly";

const UID = ["get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}"];

describe("a stack whose kubeconfig leads to another cluster", () => {
  const servers: ApiServer[] = [];
  let stack: Clone;
  let uids: string[];

  const kubeconfig = (server: number): string => servers[server]?.kubeconfig(ADMINISTRATOR) ?? "";
  const kubectl = async (server: number, args: readonly string[]): Promise<string> => {
    const finished = await servers[server]?.kubectl(ADMINISTRATOR, args);
    assert.equal(finished?.exitCode, 0, finished?.output);
    return finished.output;
  };
  const namespaces = (server: number) => kubectl(server, ["get", "namespaces", "--output=name"]);

  before(async () => {
    for (let count = 0; count < 2; count++) servers.push(await ApiServer.start());
    uids = [await kubectl(0, UID), await kubectl(1, UID)];
    stack = new Clone(kubeconfig(0));
    await stack.start();
  });

  after(async () => {
    stack.stop();
    for (const server of servers) await server.stop();
  });

  it("does not begin where it cannot see which cluster that is", async () => {
    stack.kubeconfig = "/dev/null";
    assert.ok((await stack.up()).failed);
    stack.kubeconfig = kubeconfig(0);
  });

  it("is refused in previews and updates, also after an update that failed", async () => {
    const failing = await stack.upThatFails();
    assert.ok(failing.failed, failing.output);
    stack.kubeconfig = kubeconfig(1);
    for (const { failed, output } of [await stack.run(["preview"]), await stack.up()]) {
      assert.ok(failed, output);
      assert.match(output, new RegExp(`leads to the cluster ${uids[1] ?? ""} .*cluster ${uids[0] ?? ""}`));
      assert.match(output, /Nothing was changed/);
      assert.doesNotMatch(output, /error serializing/);
    }
    assert.doesNotMatch(await namespaces(1), /temporal/);
    stack.kubeconfig = kubeconfig(0);
    const carriedOn = await stack.up();
    assert.ok(!carriedOn.failed, carriedOn.output);
    assert.match(await namespaces(0), /temporal-workers/);
  });

  it("moves once the settings name the other cluster, and is refused on the first from then on", async () => {
    stack.kubeconfig = kubeconfig(1);
    const moved = `  temporal-stack:kubernetes:\n    clusterUid: ${uids[1] ?? ""}\n`;
    const refreshed = await stack.run(["refresh", "--run-program", "--yes", "--skip-preview"], moved);
    assert.ok(!refreshed.failed, refreshed.output);
    const { failed, output } = await stack.up(moved);
    assert.ok(!failed, output);
    assert.match(await namespaces(1), /temporal-workers/);
    const again = await stack.up();
    assert.ok(!again.failed, again.output);
    stack.kubeconfig = kubeconfig(0);
    for (const settings of [moved, ""]) {
      const back = await stack.run(["preview"], settings);
      assert.ok(back.failed, back.output);
      assert.match(back.output, /leads to the cluster/);
    }
    assert.match(await namespaces(0), /temporal-workers/);
  });
});
