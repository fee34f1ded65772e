import { Command } from "commander";
import { applyManifest, kubectl } from "./cluster/native/addons";
import { localImages, provideImage } from "./cluster/native/images";
import { enforceNetworkPolicies } from "./cluster/native/networkPolicyEnforcer";
import { runCommand } from "../common/command";
import { Failure } from "../common/failure";
import { runSteps, sideBySide, step } from "../common/progress";
import { recordCluster, recordedCluster } from "../common/localStack";
import { programs } from "../toolchain/programs";
import { chooseSource, programStep } from "../toolchain/steps";

const command = new Command("npm run addons --").description(
  "Adds to the local cluster what a first workflow does not need: metrics and policy enforcement.",
);

runCommand(command, main);

async function main(): Promise<void> {
  const record = recordedCluster();
  const { way, cluster } = record ?? {};
  if (record === undefined || way !== "native" || cluster === undefined) {
    throw new Failure(
      way === undefined
        ? "there is no local cluster yet"
        : `a cluster of kind "${way}" brings its own add-ons`,
      way === undefined
        ? "run npm run up first"
        : "install metrics-server with the cluster's own means if it lacks it",
    );
  }
  const source = await chooseSource();
  await runSteps([
    sideBySide("programs", [
      programStep(programs.networkPolicyEnforcer, source),
      programStep(programs.metricsServer, source),
    ]),
    step("NetworkPolicy enforcement", enforceNetworkPolicies),
    step("metrics-server", async () => {
      await applyManifest("metrics-server.yaml", {
        metricsServer: await provideImage(localImages.metricsServer),
      });
      await kubectl([
        "rollout",
        "status",
        "--namespace=kube-system",
        "deployment/metrics-server",
        "--timeout=120s",
      ]);
      // The API server asks a server that is ready only after a while, and answers 503 until then.
      await kubectl([
        ...["wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io"],
        "--timeout=120s",
      ]);
    }),
  ]);
  recordCluster({ ...record, cluster: { ...cluster, networkPolicies: "enforced" } });
  console.log("NetworkPolicies are enforced, and the autoscaler sees the workers' CPU");
}
