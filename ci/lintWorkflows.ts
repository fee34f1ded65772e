import { Command } from "commander";
import { execa } from "execa";
import { runSteps } from "../common/progress";
import { exitCodes } from "../common/exitCodes";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { commandPath } from "../toolchain/install";
import { programs } from "../toolchain/programs";
import { chooseSource, programStep } from "../toolchain/steps";

const command = new Command("npm run lint:workflows --")
  .description(
    "Checks workflows of GitHub Actions with actionlint, which is downloaded or built on first use.",
  )
  .argument("[files...]", "workflow files; default: all of .github/workflows");

runCommand(command, (_options, _signal, files) => main(files));

async function main(files: readonly string[]): Promise<number> {
  await runSteps([programStep(programs.actionlint, await chooseSource())]);
  // The shell of the jobs is in npm scripts, and shellcheck is not on every machine: the result must not hang on it.
  const args = ["-shellcheck=", "-pyflakes=", "-color", ...files];
  const { exitCode } = await execa(commandPath(programs.actionlint), args, {
    cwd: checkout,
    stdio: "inherit",
    reject: false,
  });
  if (exitCode === 0) console.log("actionlint found nothing");
  return exitCode ?? exitCodes.failed;
}
