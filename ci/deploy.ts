import { Command } from "commander";
import { Failure } from "../common/failure";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { imagesOf, type StackImage, WORKER_IMAGE } from "../settings/stackImages";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { noStackFile } from "../common/stackFiles";
import { exitCodes } from "../common/exitCodes";
import { cliOf, pulumi, type StackCli } from "../common/pulumi";
import { findOutputs } from "../common/stackOutputs";
import { runProjectCommand } from "./projectCommand";
import { setOutput } from "./runner";

const command = new Command("npm run ci:deploy --")
  .description("Replays a stack's open workflows with what is about to be deployed, and deploys it.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option(
    "--image <reference>",
    "refuse any other image than this one, by digest: what an earlier stack has proven",
  );

interface Options {
  readonly stack: string;
  readonly image?: string;
}

runCommand(command, main);

async function main({ stack, image: proven }: Options, signal: AbortSignal): Promise<void> {
  const source = sourceOfStackFile(checkout, stack) ?? noStackFile(stack);
  const images = imagesOf(parseSettings(source));
  const [{ digest }] = images;
  if (proven !== undefined && !(digest !== undefined && proven.endsWith(`@${digest}`))) {
    throw new Failure(
      `Pulumi.${stack}.yaml names ${digest ?? "no digest, so that an image would be built"}; proven is ${proven || "none"}`,
      `merge the pull request of branch promote/${stack}; the next run deploys stack ${stack}`,
    );
  }
  const built = images.filter((image) => image.digest === undefined).map(({ name }) => name);
  if (proven !== undefined && built.length > 0) {
    throw new Failure(
      `Pulumi.${stack}.yaml would build ${built.join(", ")}, which nobody has proven`,
      "name the digest of each of them in images; npm run promote writes it",
    );
  }
  const cli = cliOf(stack);
  const { data: deployed } = await findOutputs(cli);
  if (deployed === undefined) {
    console.log(`nothing is deployed as stack ${stack} yet: there are no workflows to replay`);
  } else {
    if (digest === undefined) await replay(stack);
    // An image that is new has no workflows yet.
    const running = deployed.workers.map(({ image }) => image?.name ?? WORKER_IMAGE);
    const candidates = images.filter(({ name }) => running.includes(name));
    await replay(stack, candidates.flatMap(candidateOf));
  }
  signal.throwIfAborted();
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = process.env;
  const message =
    GITHUB_RUN_ID === undefined
      ? "npm run ci:deploy"
      : `${GITHUB_SERVER_URL ?? ""}/${GITHUB_REPOSITORY ?? ""}/actions/runs/${GITHUB_RUN_ID}`;
  await pulumi(cli, ["up", "--yes", "--skip-preview", "--message", message], {
    onLine: (line) => console.log(line),
  });
  setOutput("image", (await imageOf(cli)) ?? "");
}

/** What is named by its digest runs as it is; what is built, the checkout replays. */
const candidateOf = ({ name, repository, digest }: StackImage): string[] =>
  digest === undefined ? [] : [`${name}=${repository}@${digest}`];

/** @throws Failure when workflows that are open would break, or could not be checked */
async function replay(stack: string, images?: readonly string[]): Promise<void> {
  if (images?.length === 0) return;
  const args = images === undefined ? [] : ["--image", ...images];
  const exitCode = await runProjectCommand("ops/replay", ["--stack", stack, ...args]);
  if (exitCode === exitCodes.ok) return;
  throw new Failure(`npm run replay ended with ${exitCode}`, "the lines above say why; nothing was deployed");
}

/** The worker image that a stack runs, by digest; undefined before its first deployment. */
async function imageOf(cli: StackCli): Promise<string | undefined> {
  return (await findOutputs(cli)).data?.workerImage;
}
