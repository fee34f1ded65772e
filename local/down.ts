import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Command, Option } from "commander";
import { execa } from "execa";
import { kubeConfigOf } from "./cluster/clusterAccess";
import { stopKind } from "./cluster/kind";
import { stopCluster } from "./cluster/native/cluster";
import { runCommand } from "../common/command";
import { stopForwarding } from "./firstWorkflow";
import { Failure } from "../common/failure";
import { foreignFolderProblems, ownedCache, ownedState } from "../common/ownedFolders";
import { cacheFolder, stateFolder } from "../common/paths";
import { runSteps, step } from "../common/progress";
import { stopOrphanedPlugins } from "../common/orphanedPlugins";
import { pulumiHome } from "../common/localStack";
import { recordedCluster, recordedTarget } from "../common/localStack";
import { refuseSharedOperators } from "./sharedOperators";
import { destroyStack } from "./stack";
import { removeServicePolicy } from "../toolchain/debian";

const command = new Command("npm run down --")
  .description("Destroys the stack, stops its cluster and removes everything that belongs to them.")
  .addOption(new Option("--purge", "also remove the cache: programs, Go's caches, images"));

runCommand(command, main);

async function main(options: { readonly purge?: boolean }): Promise<void> {
  refuseForeignFolders(options.purge === true);
  const { way } = recordedCluster() ?? {};
  const target = recordedTarget();
  removeServicePolicy();
  await runSteps([
    step(
      `stack ${target?.stack ?? ""}`.trim(),
      async ({ report }) => {
        try {
          if (target !== undefined) {
            await destroyStack(target, report, async (exported) => {
              if (way === "context") await refuseSharedOperators(kubeConfigOf(target), exported);
            });
          }
        } catch (error) {
          // A cluster of our own goes as a whole; in somebody else's, the stack's objects would stay behind.
          if (way === "context") throw error;
          report("could not be destroyed in order; it goes with its cluster");
        }
      },
      { done: () => target === undefined },
    ),
    step("Pulumi plugins without an engine", () => {
      stopOrphanedPlugins(pulumiHome);
      return Promise.resolve();
    }),
    step("port forwarding", stopForwarding),
    step("cluster", () => (way === "kind" ? stopKind() : stopCluster()), { done: () => way === "context" }),
    step("state folder", () => rm(stateFolder, { recursive: true, force: true }), {
      done: () => !existsSync(stateFolder),
    }),
    step("cache", purge, { done: () => options.purge !== true || !existsSync(cacheFolder) }),
  ]);
  console.log(
    "everything is gone" + (options.purge === true ? "" : "; the cache is kept for the next npm run up"),
  );
}

/** Before anything is taken away: what this deletes was made by `npm run up`. */
function refuseForeignFolders(purges: boolean): void {
  const problems = [ownedState, ...(purges ? [ownedCache] : [])].flatMap(foreignFolderProblems);
  if (problems.length > 0) {
    throw new Failure("nothing was removed", "resolve this, then run the command again", problems);
  }
}

/** Go makes its module cache read-only. */
async function purge(): Promise<void> {
  await execa("chmod", ["--recursive", "u+w", cacheFolder]);
  await rm(cacheFolder, { recursive: true, force: true });
}
