import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminKubeconfig } from "../../local/cluster/native/pki";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { timed } from "../timedRun";
import { deployScript, removeScript } from "./script";
import type { StackObjects } from "./stackObjects";

const commands = {
  kubectl: commandPath(programs.kubernetes, "kubectl"),
  helm: commandPath(programs.helm),
};

/**
 * A shell script that deploys the same as the program, in a folder that only this user can read: it holds passwords.
 */
export class Baseline {
  private constructor(private readonly folder: string) {}

  static async write(objects: StackObjects): Promise<Baseline> {
    // Nobody else may read what mkdtemp makes.
    const folder = await mkdtemp(join(tmpdir(), "temporal-stack-baseline-"));
    const baseline = new Baseline(folder);
    const { text, files } = deployScript(objects, commands);
    for (const [name, content] of Object.entries(files)) await baseline.save(name, JSON.stringify(content));
    await baseline.save("deploy.sh", text);
    await baseline.save("remove.sh", removeScript(objects, commands));
    return baseline;
  }

  /** Deploys the stack. */
  async deploy(): Promise<void> {
    await this.run("deploy.sh", "the lines above name the object; run npm run down before the next try");
  }

  /** Takes away what was deployed. */
  async remove(): Promise<void> {
    await this.run("remove.sh", "run npm run down: it takes away the whole cluster");
  }

  /** Removes the folder. */
  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  private async save(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text, { mode: 0o600 });
  }

  private async run(script: string, remedy: string): Promise<void> {
    await timed(["bash", join(this.folder, script)], {
      cwd: this.folder,
      env: {
        KUBECONFIG: adminKubeconfig,
        HELM_CACHE_HOME: join(this.folder, "cache"),
        HELM_CONFIG_HOME: join(this.folder, "config"),
        HELM_DATA_HOME: join(this.folder, "data"),
      },
      remedy,
    });
  }
}
