import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { candidateOf } from "../../ops/conform/candidate";
import {
  connectionFindings,
  healthFindings,
  shutdownFindings,
  startFindings,
} from "../../ops/conform/findings";
import { type AskPod, tryImage } from "../../ops/conform/trial";
import { worst } from "../../ops/doctor/finding";
import { ADMINISTRATOR } from "../support/apiServer";
import { EngineCluster, type PodPhase } from "../support/engineCluster";
import { eventually } from "../support/eventually";
import { stackSettings } from "../support/stackSettings";

/* No pod runs: whether each lives, and what its ports answer, is told. Admission and Pod Security are real. */

describe("a trial of an image", () => {
  const settings = stackSettings("prod");
  const candidate = candidateOf(settings, `r.example.com/x@sha256:${"a".repeat(64)}`, undefined);
  let cluster: EngineCluster;
  before(async () => {
    cluster = await EngineCluster.start();
  });
  after(() => cluster.stop());

  async function tried(worker: PodPhase, ask: AskPod) {
    cluster.phaseOf = ({ metadata }): PodPhase => (metadata?.name === "worker" ? worker : "Running");
    const config = new KubeConfig();
    config.loadFromFile(cluster.server.kubeconfig(ADMINISTRATOR));
    const trial = await tryImage(config, settings, candidate, new AbortController().signal, ask);
    await eventually("its namespace is gone", async () => {
      const names = ["get", "namespaces", "--selector=temporal-stack/conform", "--output=name"];
      return (await cluster.kubectl(names)).trim() === "";
    });
    return trial;
  }

  const answers: AskPod = (pod) => {
    const text = pod === "temporal" ? JSON.stringify({ pollers: [{ identity: "1@worker" }] }) : "";
    return Promise.resolve({ status: 200, text });
  };

  it("is of pods that a restricted namespace takes, with keys, and leaves nothing", async () => {
    const trial = await tried("Running", answers);
    assert.equal(worst(connectionFindings(trial, candidate)), "ok");
    assert.equal(worst(healthFindings(trial, candidate)), "ok");
    // Nobody tells how a process ended that never was.
    assert.equal(worst(shutdownFindings(trial)), "not checked");
  });

  it("sees a process that ends by itself", async () => {
    const trial = await tried("Failed", () => Promise.resolve(undefined));
    assert.equal(worst(startFindings(trial, candidate)), "failed");
    assert.equal(worst(connectionFindings(trial, candidate)), "failed");
  });
});
