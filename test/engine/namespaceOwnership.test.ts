import assert from "node:assert/strict";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import { Clone } from "../support/namespacesOnly";

/*
 * The real engine and providers against a real API server without controllers: no pod ever runs, so an update is
 * kept to the namespaces.
 */

const NAMESPACES = ["temporal", "temporal-workers"];
const ID = "{.metadata.labels.temporal-stack/stack-id}";

describe("two clones with a stack of one name on one cluster", () => {
  let server: ApiServer;
  let first: Clone;
  let second: Clone;

  const kubectl = async (...args: string[]): Promise<string> => {
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, args);
    assert.equal(exitCode, 0, output);
    return output;
  };
  const namespaces = () =>
    kubectl("get", "namespaces", ...NAMESPACES, "--output", "jsonpath={.items[*].metadata}");

  before(async () => {
    server = await ApiServer.start();
    const kubeconfig = server.kubeconfig(ADMINISTRATOR);
    [first, second] = [new Clone(kubeconfig), new Clone(kubeconfig)];
    await first.start();
    await second.start();
  });

  after(async () => {
    first.stop();
    second.stop();
    await server.stop();
  });

  it("one deploys, and carries on after an update that failed later", async () => {
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    const again = await first.up();
    assert.ok(!again.failed, again.output);
  });

  it("the other is refused in previews and updates, and its destroy deletes nothing of the first", async () => {
    const before = await namespaces();
    for (const { failed, output } of [await second.run(["preview"]), await second.up()]) {
      assert.ok(failed, output);
      for (const namespace of NAMESPACES)
        assert.match(
          output,
          new RegExp(`namespace "${namespace}" exists already and belongs to another stack`),
        );
      assert.match(output, /namespaces\.adopt/);
    }
    const { failed, output } = await second.destroy();
    assert.ok(!failed, output);
    assert.equal(await namespaces(), before);
    assert.doesNotMatch(before, /deletionTimestamp/);
  });

  it("the first knows its own namespace again after an update that was killed before it wrote that down", async () => {
    const id = await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`);
    await first.forget("namespace-temporal");
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    assert.equal(await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`), id);
  });

  it("a stack of an older version, without an id, gets one", async () => {
    await kubectl("label", "namespaces", ...NAMESPACES, "temporal-stack/stack-id-");
    await first.forget("stack-identity-id", "temporal-stack/stack-id");
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    assert.match(
      await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`),
      /^[0-9a-f-]{36}$/,
    );
  });

  it("the other takes over what its settings name, and only that", async () => {
    const adopt = "  temporal-stack:namespaces:\n    adopt: [temporal]\n";
    const { output } = await second.run(["preview"], adopt);
    assert.doesNotMatch(output, /namespace "temporal" exists already/);
    assert.match(output, /namespace "temporal-workers" exists already/);
  });

  it("a stack whose state is lost takes its namespaces over again, and keeps them without being told twice", async () => {
    const adopt = `  temporal-stack:namespaces:\n    adopt: [${NAMESPACES.join(", ")}]\n`;
    for (const settings of [adopt, ""]) {
      const { failed, output } = await second.up(settings);
      assert.ok(!failed, output);
    }
    const owner = await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`);
    assert.equal(owner, await kubectl("get", "namespace", "temporal-workers", "--output", `jsonpath=${ID}`));
    assert.doesNotMatch(await namespaces(), /patchForce/);
  });
});
