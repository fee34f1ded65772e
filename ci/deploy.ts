import { Command } from "commander";
import { execa } from "execa";
import { z } from "zod";
import { Failure } from "../common/failure";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { runCommand } from "../local/command";
import { checkout } from "../common/paths";
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

const outputsSchema = z.object({ workerImage: z.string() });

runCommand(() => main(command.parse().opts<Options>()));

async function main({ stack, image: proven }: Options): Promise<void> {
  const source = sourceOfStackFile(checkout, stack);
  if (source === undefined) {
    throw new Failure(`there is no Pulumi.${stack}.yaml`, "name a stack that has a file");
  }
  const { digest } = parseSettings(source).workerImage;
  if (proven !== undefined && !(digest !== undefined && proven.endsWith(`@${digest}`))) {
    throw new Failure(
      `Pulumi.${stack}.yaml names ${digest ?? "no digest, so that an image would be built"}; proven is ${proven || "none"}`,
      `merge the pull request of branch promote/${stack}; the next run deploys stack ${stack}`,
    );
  }
  if ((await imageOf(stack)) === undefined) {
    console.log(`nothing is deployed as stack ${stack} yet: there are no workflows to replay`);
  } else {
    const image = digest === undefined ? [] : ["--image", digest];
    await run("npm", ["run", "--silent", "replay", "--", "--stack", stack, ...image]);
  }
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = process.env;
  const message =
    GITHUB_RUN_ID === undefined
      ? "npm run ci:deploy"
      : `${GITHUB_SERVER_URL ?? ""}/${GITHUB_REPOSITORY ?? ""}/actions/runs/${GITHUB_RUN_ID}`;
  await run("pulumi", [
    ...["up", "--yes", "--skip-preview", "--stack", stack, "--message", message],
    ...["--non-interactive", "--color", "never"],
  ]);
  setOutput("image", (await imageOf(stack)) ?? "");
}

/** The worker image that a stack runs, by digest; undefined before its first deployment. */
async function imageOf(stack: string): Promise<string | undefined> {
  const { stdout } = await execa(
    "pulumi",
    ["stack", "output", "--json", "--stack", stack, "--non-interactive"],
    { stderr: "inherit" },
  ).catch((error: unknown) => {
    throw new Failure(
      `the outputs of stack ${stack} cannot be read`,
      `see that the backend has the stack (pulumi stack init ${stack}) and that this job may read it`,
      [String(error).split("\n")[0] ?? ""],
    );
  });
  const outputs = outputsSchema.safeParse(JSON.parse(stdout));
  return outputs.success ? outputs.data.workerImage : undefined;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { exitCode } = await execa(program, args, { stdio: "inherit", reject: false });
  if (exitCode === 0) return;
  throw new Failure(
    `${program} ${args.slice(0, 3).join(" ")} ended with ${String(exitCode)}`,
    "the lines above say why; nothing after it was done",
  );
}
