import assert from "node:assert/strict";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { refuseSharedOperators } from "../../local/sharedOperators";
import { provideAssets } from "../../toolchain/goBuild";
import { programs } from "../../toolchain/programs";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";

/** A state as `pulumi stack export` prints it, with the operator's release and one Postgres. */
const STATE = {
  deployment: {
    resources: [
      { type: "kubernetes:core/v1:Namespace", inputs: { metadata: { name: "temporal" } } },
      { type: "kubernetes:helm.sh/v3:Release", inputs: { name: "cnpg", namespace: "cnpg-system" } },
      {
        type: "kubernetes:postgresql.cnpg.io/v1:Cluster",
        inputs: { metadata: { name: "temporal-pg", namespace: "brought" } },
      },
    ],
  },
};
const WITHOUT_OPERATOR = { deployment: { resources: STATE.deployment.resources.slice(0, 1) } };

describe("npm run down of a stack whose operators serve others", () => {
  let server: ApiServer;
  const config = new KubeConfig();

  const kubectl = async (args: readonly string[], input?: unknown): Promise<void> => {
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, args, input);
    assert.equal(exitCode, 0, output);
  };
  const postgres = async (namespace: string): Promise<void> => {
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["create", "--filename=-"], {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: { name: "temporal-pg", namespace },
      spec: { instances: 1, storage: { size: "1Gi" } },
    });
  };

  before(async () => {
    server = await ApiServer.start();
    config.loadFromFile(server.kubeconfig(ADMINISTRATOR));
  });

  after(() => server.stop());

  it("has nothing against it where there is no such resource type", () =>
    refuseSharedOperators(config, STATE));

  it("has nothing against it while the operator serves the stack alone", async () => {
    const crds = join(await provideAssets(programs.cloudNativePg), "crds");
    await server.addTypes(join(crds, "postgresql.cnpg.io_clusters.yaml"));
    await postgres("temporal");
    await postgres("brought");
    await refuseSharedOperators(config, STATE);
  });

  it("is refused once another namespace has a Postgres, which is named", async () => {
    await postgres("payments");
    await assert.rejects(refuseSharedOperators(config, STATE), (error) => {
      assert.ok(error instanceof Failure);
      assert.deepEqual(error.details, [
        "release cnpg in namespace cnpg-system serves clusters of others: payments/temporal-pg",
      ]);
      return true;
    });
    await refuseSharedOperators(config, WITHOUT_OPERATOR);
  });
});
