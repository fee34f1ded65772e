import assert from "node:assert/strict";
import { z } from "zod";
import { kubectl, run } from "../support";
import { SecondStack, smallServer } from "./secondStack";
import { prod, upCommand, waitFor } from "./support";

const ownPostgres = z.looseObject({});

describe.skip("a stack that cannot be deployed says why", () => {
  let stack: SecondStack;

  before(async () => {
    stack = new SecondStack("bad", ({ postgres }) => ({
      postgres: { ...ownPostgres.parse(postgres), operator: {} },
    }));
    await stack.init({
      ...smallServer("bad"),
      postgres: {
        mode: "cluster",
        name: "bad-pg",
        operator: { install: false },
        instances: 1,
        antiAffinity: "preferred",
        storage: { size: "1Gi" },
        maxConnections: 100,
        resources: { requests: { cpu: "10m", memory: "256Mi" }, limits: { memory: "512Mi" } },
        readyTimeoutSeconds: 60,
      },
    });
  });

  after(() => stack.remove());

  it("when the chart has no such version, in the preview", async () => {
    stack.file.layOver({ temporal: { chartVersion: "1.6.99" } });
    const { exitCode, output } = await stack.preview();
    stack.file.layOver({ temporal: { chartVersion: "1.6.0" } });
    assert.notEqual(exitCode, 0);
    assert.match(output, /1\.6\.99/);
  });

  it("when a namespace is there and somebody else's, in the preview", async () => {
    await kubectl("create", "namespace", "somebody-elses");
    stack.file.layOver({ namespaces: { workers: "somebody-elses" } });
    const { exitCode, output } = await stack.preview();
    stack.file.layOver({ namespaces: { workers: stack.namespaces.workers } });
    await kubectl("delete", "namespace", "somebody-elses");
    assert.notEqual(exitCode, 0);
    assert.match(output, /somebody-elses/);
    assert.match(output, /namespaces\.adopt/);
  });

  it("when there is no such storage class, and nothing of it stays", async () => {
    stack.file.layOver({ postgres: { storage: { storageClass: "nowhere" } } });
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /nowhere/);
    await stack.destroy();
  });
});

describe("stack prod without the cluster's DNS", () => {
  const dns = (replicas: number): Promise<string> =>
    kubectl("scale", "deployment/coredns", "--namespace=kube-system", `--replicas=${replicas}`);

  before(() => dns(0));

  after(async () => {
    await dns(1);
    await waitFor("kube-system", "deployment/coredns");
  });

  it("shows the last lines of the schema job when that cannot find Postgres", async () => {
    prod.layOver({
      temporal: { schemaTimeoutSeconds: 60, dynamicConfig: { "frontend.namespaceRPS": 4001 } },
    });
    const { exitCode, output } = await run(upCommand);
    assert.equal(exitCode, 1, output);
    assert.match(output, /pod temporal\/temporal-schema-/);
    assert.match(output, /temporal-pg-rw\.temporal\.svc.*(no such host|server misbehaving|i\/o timeout)/);
  });
});
