import { rm } from "node:fs/promises";
import { execa } from "execa";
import { Failure, lastLines } from "./failure";
import { recordedCluster } from "./localStack";

/**
 * Runs the Docker client against the engine that built the stack's images: the local cluster's own one, else
 * whichever the client itself finds.
 *
 * @returns what it printed on standard output
 * @throws Failure with its last lines when it does not succeed
 */
export async function docker(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<string> {
  const environment = recordedCluster()?.cluster?.imageEnvironment ?? {};
  const client = environment["TEMPORAL_STACK_DOCKER"] ?? "docker";
  const { failed, stdout, stderr } = await execa(client, args, {
    ...options,
    env: { ...environment, DOCKER_BUILDKIT: "1", BUILDKIT_PROGRESS: "plain" },
    reject: false,
  });
  if (!failed) return stdout;
  throw new Failure(
    `docker ${args.slice(0, 2).join(" ")} failed`,
    "is the container engine running, and the image there? Run npm run up, or name another image",
    lastLines(stderr),
  );
}

/** Extracts the files of an image, as a container sees them, into a folder. */
export async function extractImage(image: string, folder: string): Promise<void> {
  const container = await docker(["create", image]);
  try {
    await docker(["export", "--output", `${folder}.tar`, container]);
    // Devices are left out: making them needs root, and nothing reads them.
    await execa("tar", ["-x", "-f", `${folder}.tar`, "-C", folder, "--exclude=dev"]);
  } finally {
    await docker(["rm", "--force", container]);
    await rm(`${folder}.tar`, { force: true });
  }
}
