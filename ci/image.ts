import { Command } from "commander";
import { execa } from "execa";
import { Failure } from "../common/failure";
import { imagePin } from "../settings/imagePin";
import { images } from "../settings/versions";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";

const command = new Command("npm run ci:image --")
  .description(
    "Builds the worker image on its pinned base images, as a deployment would, and pushes nothing.",
  )
  .requiredOption("--tag <reference>", "its name in the engine");

runCommand(command, main);

async function main({ tag }: { readonly tag: string }): Promise<void> {
  const args = [
    ...["build", "--tag", tag],
    ...["--build-arg", `BUILD_IMAGE=${imagePin(images.workerBuild)}`],
    ...["--build-arg", `RUNTIME_IMAGE=${imagePin(images.workerRuntime)}`],
    "worker",
  ];
  const { exitCode } = await execa("docker", args, {
    cwd: checkout,
    stdio: "inherit",
    reject: false,
    env: { DOCKER_BUILDKIT: "1" },
  });
  if (exitCode !== 0) throw new Failure("the worker image does not build", "the lines above say why");
}
