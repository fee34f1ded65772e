import { Command } from "commander";
import { execa } from "execa";
import { exitCodes } from "../common/exitCodes";
import { runCommand } from "../common/command";
import { Failure } from "../common/failure";
import { checkout } from "../common/paths";
import { commandPath, isInstalled } from "../toolchain/install";
import { programs } from "../toolchain/programs";

async function main(): Promise<number> {
  if (!isInstalled(programs.temporal)) {
    throw new Failure(
      "the Temporal CLI is not installed yet",
      "run npm run toolchain or npm run up first: they provide it",
    );
  }
  const { exitCode } = await execa("npm", ["--prefix", "worker", "run", "--silent", "test:server"], {
    cwd: checkout,
    stdio: "inherit",
    reject: false,
    env: { TEMPORAL_CLI_PATH: commandPath(programs.temporal) },
  });
  return exitCode ?? exitCodes.failed;
}

runCommand(
  new Command("npm run test:worker --").description(
    "Runs the worker's tests that need a Temporal server, with the toolchain's own one.",
  ),
  main,
);
