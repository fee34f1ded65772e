import assert from "node:assert/strict";
import { kubectl, pulumi, run } from "../support";
import { SecondStack, smallServer } from "./secondStack";
import { rolledOut } from "../../support/faults";
import { prod, up, upCommand } from "./support";

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

describe("stack prod without the cluster's DNS", () => {
  const dns = (replicas: number): Promise<string> =>
    kubectl("scale", "deployment/coredns", "--namespace=kube-system", `--replicas=${replicas}`);

  before(() => dns(0));

  after(() => dns(1));

  it("shows the last lines of the schema job when that cannot find Postgres", async () => {
    prod.layOver({
      temporal: { schemaTimeoutSeconds: 60, dynamicConfig: { "frontend.namespaceRPS": 4001 } },
    });
    const { exitCode, output } = await run(upCommand);
    assert.equal(exitCode, 1, output);
    assert.match(output, /pod temporal\/temporal-schema-/);
    assert.match(output, /temporal-pg-rw\.temporal\.svc.*(no such host|server misbehaving|i\/o timeout)/);
  });

  it("is deployed by the next npm run up once names resolve again", async () => {
    await dns(1);
    await rolledOut("kube-system", "coredns");
    assert.match(await up(), /The first workflow has finished/);
  });
});
