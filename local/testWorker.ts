import { execa } from "execa";
import { runCommand } from "./command";
import { Failure } from "../common/failure";
import { checkout } from "../common/paths";
import { commandPath, isInstalled } from "../toolchain/install";
import { programs } from "../toolchain/programs";

/** Runs the worker's tests that need a Temporal server, with the toolchain's own one. */
async function main(): Promise<void> {
  if (!isInstalled(programs.temporal)) {
    throw new Failure("the Temporal CLI is not installed yet", "run npm run up first: it provides it");
  }
  const { exitCode } = await execa("npm", ["--prefix", "worker", "run", "--silent", "test:server"], {
    cwd: checkout,
    stdio: "inherit",
    reject: false,
    env: { TEMPORAL_CLI_PATH: commandPath(programs.temporal) },
  });
  process.exitCode = exitCode ?? 1;
}

runCommand(main);
