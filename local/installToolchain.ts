import { Command } from "commander";
import { runSteps } from "../common/progress";
import { runCommand } from "./command";
import { chooseSource } from "../toolchain/steps";
import { wholeToolchainSteps } from "./toolchainSteps";

new Command("npm run toolchain --")
  .description(
    "Downloads or builds every program that commands and tests use on this machine. Each command does so itself for what it needs; this is for doing it beforehand.",
  )
  .parse();

runCommand(async () => runSteps(wholeToolchainSteps(await chooseSource())));
