import assert from "node:assert/strict";
import type { ApiUser } from "../support/apiServer";
import { EngineCluster } from "../support/engineCluster";
import type { OfflineEngine } from "../support/offlineEngine";

const UP = ["up", "--yes", "--skip-preview"];
const unchanged = (text: string) => text;

/** May do everything but Deployments, until a test gives more. */
const user: ApiUser = { name: "half" };
const half = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: user.name },
  rules: [
    {
      apiGroups: ["", "networking.k8s.io", "policy", "autoscaling", "discovery.k8s.io"],
      resources: ["*"],
      verbs: ["*"],
    },
  ],
};

/** The real program, engine, provider and API server; no pod runs. */
describe("updates of stack local", () => {
  let cluster: EngineCluster;
  let engine: OfflineEngine;
  const succeeds = async (...args: string[]): Promise<void> => {
    const { failed, output } = await engine.run("local", unchanged, args);
    assert.ok(!failed, output);
  };
  const allow = (role: string): Promise<string> =>
    cluster.kubectl([
      "create",
      "clusterrolebinding",
      `may-${role}`,
      `--clusterrole=${role}`,
      `--user=${user.name}`,
    ]);

  before(async () => {
    cluster = await EngineCluster.start(user);
    engine = await cluster.engine(["local"], user);
    await cluster.kubectl(["create", "--filename", "-"], half);
    await allow(half.metadata.name);
  });
  after(() => cluster.stop());

  it("fail half-way, and say at which resource", async () => {
    const { failed, output } = await engine.run("local", unchanged, UP);
    assert.ok(failed, output);
    assert.match(output, /temporal-deployment[^]*User "half" cannot [a-z]+ resource "deployments"/);
  });

  it("carry on from there, and change nothing when they run again", async () => {
    await allow("cluster-admin");
    await succeeds(...UP);
    await succeeds("preview", "--expect-no-changes");
  });

  it("leave nothing when the stack is destroyed", async () => {
    await succeeds("destroy", "--yes", "--skip-preview");
    const left = await cluster.kubectl(["get", "namespaces", "--output=name"]);
    assert.doesNotMatch(left, /temporal/);
  });
});
