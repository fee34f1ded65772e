import { resolve } from "node:path";
import { Command } from "commander";
import { runCommand } from "../common/command";
import type { ExitCode } from "../common/exitCodes";
import { exitCodeOf, render } from "./drift/driftReport";
import { findDrift } from "./drift/detectDrift";

interface Options {
  readonly stack: string;
  readonly configFile?: string;
  readonly accept?: string[];
}

const command = new Command("npm run drift --")
  .description("Compares what runs in the cluster with what was deployed; nothing is changed.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--config-file <file>", "settings from this file instead of Pulumi.<stack>.yaml")
  .option("--accept <manager...>", "field managers beside the stack's own that may write to its objects")
  .addHelpText(
    "after",
    "\nExample: npm run drift -- -s prod" +
      "\nExit codes: 0 no drift, 3 what runs breaks a mandatory policy, 2 drift, 1 failed or not everything could be compared.",
  );

async function main({ stack, configFile, accept }: Options): Promise<ExitCode> {
  const report = await findDrift(stack, {
    configFile: configFile === undefined ? undefined : resolve(configFile),
    accept,
    onStep: (line) => console.error(line),
  });
  console.log(render(report));
  return exitCodeOf(report);
}

runCommand(command, main, { afterInterruption: "nothing was changed" });
