import { Command } from "commander";
import { runCommand } from "../common/command";
import { runSteps } from "../common/progress";
import { chooseSource } from "../toolchain/steps";
import { wholeToolchainSteps } from "./toolchainSteps";

const command = new Command("npm run toolchain --").description(
  "Downloads or builds every program that commands and tests use on this machine. Each command does so itself for what it needs; this is for doing it beforehand.",
);

runCommand(command, async () => runSteps(wholeToolchainSteps(await chooseSource())));
