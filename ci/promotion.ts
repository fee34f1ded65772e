import { Command } from "commander";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { exitCodes } from "../common/exitCodes";
import { checkout } from "../common/paths";
import { readGroupFiles } from "../settings/groupFiles";
import { GitHub } from "./github";
import { runProjectCommand } from "./projectCommand";
import { hasChanges, pushProposal } from "./proposal";
import { addSummary, setOutput } from "./runner";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly base: string;
}

const command = new Command("npm run ci:promotion --")
  .description(
    "Proposes, as a pull request, that a stack runs the image and versions of another one; the step output " +
      "`promoted` is `true` if it is set to run them already.",
  )
  .requiredOption("--from <stack>", "the stack that has proven them")
  .requiredOption("--to <stack>", "the stack that is to run them")
  .option("--base <branch>", "the branch that the pull request is for", "main");

runCommand(command, main);

async function main({ from, to, base }: Options): Promise<void> {
  if (await hasChanges(checkout)) throw new Failure("files have changed", "start from a clean checkout");
  const exitCode = await runProjectCommand("ops/promote", ["--from", from, "--to", to]);
  if (exitCode !== exitCodes.ok) {
    throw new Failure(`npm run promote ended with ${exitCode}`, "the lines above say why");
  }
  const promoted = !(await hasChanges(checkout));
  setOutput("promoted", String(promoted));
  if (promoted) {
    addSummary(`Stack ${to} is set to run what ${from} runs.`);
    return;
  }
  const title = `Promote what ${from} runs to ${to}`;
  const branch = `promote/${to}`;
  await pushProposal({
    folder: checkout,
    files: [`Pulumi.${to}.yaml`, ...readGroupFiles(checkout).files.map(({ file }) => file)],
    branch,
    message: title,
    token: process.env["GITHUB_TOKEN"],
  });
  const { html_url: page } = await GitHub.fromEnvironment().putPullRequest(branch, base, {
    title,
    body: `Stack ${from} runs this image and these versions, and its smoke test did not fail. Merging this sets them for ${to}; the deployment itself still waits for an approval.`,
  });
  addSummary(`Stack ${to} is not deployed by this run: it is to run what ${from} runs only after ${page}.`);
}
