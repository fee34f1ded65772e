import { mkdir, rm } from "node:fs/promises";
import { execa, ExecaError } from "execa";
import { Failure, lastLines } from "../../../common/failure";
import { cache, state } from "../../../common/paths";
import { registryHost } from "./addresses";
import { cgroupName } from "./cgroups";
import { withFlags } from "./controlPlane";
import { runningPid, start, waitUntilReady } from "./process";
import { close, enter, open, type Sandbox } from "./sandbox";

/** Debian's client knows how to build with BuildKit; a newer one on PATH may lack its builder plugin. */
export const dockerBinary = "/usr/bin/docker";
export const dockerHost = `unix://${state("run", "docker.sock")}`;

/** The engine reaches the package registries through the host's network, and adds nothing to it. */
export const dockerSandbox: Sandbox = { name: "docker-sandbox", namespaces: ["pid", "mount"] };

const enginePidFile = state("run", "docker-engine.pid");

const engine = {
  "data-root": cache("docker"),
  "exec-root": state("run", "docker"),
  pidfile: enginePidFile,
  host: dockerHost,
  "insecure-registry": registryHost,
  "cgroup-parent": `/${cgroupName}`,
  bridge: "none",
  iptables: false,
  ip6tables: false,
  "ip-forward": false,
  "ip-masq": false,
};

/** Starts a container engine of our own, beside any other on this machine. */
export async function startDocker(): Promise<void> {
  if (runningPid("dockerd") === undefined) {
    // Process ids in its namespace are always the same few: what a dead engine leaves looks like a living one.
    await close(dockerSandbox);
    for (const leftover of [engine["exec-root"], enginePidFile])
      await rm(leftover, { recursive: true, force: true });
    await mkdir(state("run"), { recursive: true, mode: 0o700 });
  }
  await open(dockerSandbox);
  start({ name: "dockerd", command: [...enter(dockerSandbox), ...withFlags("dockerd", engine)] });
  await waitUntilReady(
    "dockerd",
    async () => (await docker(["version"], { reject: false })).exitCode === 0,
    60,
  );
}

/** Runs the Docker client against our engine. */
export async function docker(
  args: readonly string[],
  options: { readonly input?: string; readonly cwd?: string; readonly reject?: boolean } = {},
) {
  try {
    return await execa(dockerBinary, args, {
      ...options,
      env: { DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: "1", BUILDKIT_PROGRESS: "plain" },
    });
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const { stderr }: { readonly stderr?: unknown } = error;
    throw new Failure(
      `docker ${args[0] ?? ""} failed`,
      "the lines above name the cause; run the command again",
      lastLines(typeof stderr === "string" ? stderr : ""),
    );
  }
}
