import { writeFile } from "node:fs/promises";
import { deployerObjects } from "../../../components/manifests/deployer";
import { parseSettings } from "../../../settings/settings";
import { sourceOfStackFile } from "../../../settings/stackFile";
import { checkout } from "../../../common/paths";
import { noStackFile } from "../../../common/stackFiles";
import { kubectl } from "./addons";
import { kubeconfigOf, userKubeconfig } from "./pki";

const USER = "temporal-stack-deployer";

/**
 * Gives a user no more permissions than the deployment of a stack needs, as an administrator would for a pipeline.
 *
 * @returns the path of that user's kubeconfig
 */
export async function provideDeployer(stack: string): Promise<string> {
  const source = sourceOfStackFile(checkout, stack) ?? noStackFile(stack);
  const items = deployerObjects(parseSettings(source), { kind: "User", name: USER });
  await kubectl(
    ["apply", "--server-side", "--force-conflicts", "--filename", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  const kubeconfig = kubeconfigOf(USER);
  await writeFile(kubeconfig, await userKubeconfig(USER), { mode: 0o600 });
  return kubeconfig;
}
