import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { enforcementFindings } from "../../ops/doctor/checks/enforcement";
import { worst } from "../../ops/doctor/finding";
import { probeEnforcement } from "../../ops/doctor/probe";
import { probeImage } from "../../ops/doctor/probeImage";
import { ADMINISTRATOR } from "../support/apiServer";
import { EngineCluster, type PodPhase } from "../support/engineCluster";
import { eventually } from "../support/eventually";
import { stackSettings } from "../support/stackSettings";

/* No pod runs: what becomes of each connection is told. Admission, Pod Security and controllers are real. */

describe("the doctor's probe", () => {
  let cluster: EngineCluster;
  before(async () => {
    cluster = await EngineCluster.start();
  });
  after(() => cluster.stop());

  async function verdictWhere(refused: readonly string[]) {
    cluster.phaseOf = ({ metadata }): PodPhase => {
      const name = metadata?.name ?? "";
      return name === "target" ? "Running" : refused.includes(name) ? "Failed" : "Succeeded";
    };
    const config = new KubeConfig();
    config.loadFromFile(cluster.server.kubeconfig(ADMINISTRATOR));
    const image = probeImage(stackSettings("prod"));
    assert.ok(image);
    const probed = await probeEnforcement(config, image, new AbortController().signal);
    await eventually("its namespace is gone", async () => {
      const left = await cluster.kubectl([
        "get",
        "namespaces",
        "--selector=temporal-stack/doctor",
        "--output=name",
      ]);
      return left.trim() === "";
    });
    return worst(enforcementFindings(probed));
  }

  it("is refused under a policy only, in a namespace that admits restricted pods", async () => {
    assert.equal(await verdictWhere(["client-2"]), "ok");
  });

  it("is not refused at all", async () => {
    assert.equal(await verdictWhere([]), "failed");
  });
});
