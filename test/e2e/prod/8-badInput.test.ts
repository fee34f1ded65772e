import assert from "node:assert/strict";
import { kubectl, pulumi } from "../support";
import { SecondStack, smallServer } from "./secondStack";
import { prod } from "./support";

const smallCluster = {
  ...smallServer("foreign"),
  postgres: {
    mode: "cluster",
    name: "foreign-pg",
    operator: { install: false },
    instances: 1,
    storage: { size: "1Gi" },
    maxConnections: 100,
  },
};

describe("a preview says why a stack cannot be deployed", () => {
  it("when there is no such version of the chart", async () => {
    prod.layOver({ temporal: { chartVersion: "1.6.99" } });
    const { exitCode, output } = await pulumi("preview");
    prod.layOver({ temporal: { chartVersion: "1.6.0" } });
    assert.notEqual(exitCode, 0);
    assert.match(output, /chart "temporal" version "1\.6\.99" not found/);
  });

  it("when the cluster has no such storage class", async () => {
    const stack = new SecondStack("classless", () => ({}));
    await stack.init({
      ...smallCluster,
      postgres: { ...smallCluster.postgres, storage: { size: "1Gi", storageClass: "platinum" } },
    });
    const { exitCode, output } = await stack.preview();
    await stack.remove();
    assert.notEqual(exitCode, 0);
    assert.match(output, /postgres\.storage\.storageClass: the cluster has no class "platinum": it has /);
  });

  it("when a namespace is there and somebody else's", async () => {
    const stack = new SecondStack("foreign", () => ({}));
    await stack.init(smallCluster);
    await kubectl("create", "namespace", stack.namespaces.workers);
    const { exitCode, output } = await stack.preview();
    await kubectl("delete", "namespace", stack.namespaces.workers);
    await stack.remove();
    assert.notEqual(exitCode, 0);
    assert.match(output, /namespace "temporal-foreign-workers"/);
    assert.match(output, /namespaces\.adopt/);
  });
});
