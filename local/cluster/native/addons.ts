import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { state } from "../../../common/paths";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { addresses } from "./addresses";
import { adminKubeconfig } from "./pki";

const manifests = join(__dirname, "..", "manifests");

/** Applies one of the cluster's own manifests, its `${names}` filled with the node's addresses and images. */
export async function applyManifest(file: string, images: Readonly<Record<string, string>>): Promise<void> {
  const values: Readonly<Record<string, string>> = { ...addressValues, volumes: state("volumes"), ...images };
  const template = await readFile(join(manifests, file), "utf8");
  const manifest = template.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${file} names \${${name}}, which has no value`);
    return value;
  });
  await kubectl(["apply", "--server-side", "--force-conflicts", "--filename", "-"], manifest);
}

/** Runs kubectl as the cluster's administrator. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { stdout } = await execa(commandPath(programs.kubernetes, "kubectl"), args, {
    env: { KUBECONFIG: adminKubeconfig },
    ...(input === undefined ? {} : { input }),
  });
  return stdout;
}

const addressValues = { clusterDns: addresses.clusterDns, clusterDomain: addresses.clusterDomain };
