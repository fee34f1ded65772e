import { existsSync } from "node:fs";
import { execa } from "execa";
import { tools } from "../../settings/versions";
import { Failure, lastLines } from "../../common/failure";
import { cache, privateFolder, state } from "../../common/paths";
import { isReachable, install } from "../../toolchain/download";
import type { Cluster } from "../../common/localStack";
import { MACHINE_PLATFORM } from "./platform";

const NAME = "temporal-stack";
const REGISTRY = { container: `${NAME}-registry`, image: "registry:2.8.3", host: "localhost:5001" };

const architecture = process.arch === "x64" ? "amd64" : process.arch;
const file = `kind-${process.platform}-${architecture}`;
const release = `https://kind.sigs.k8s.io/dl/v${tools.kind}/${file}`;
const folder = cache("tools", "kind", tools.kind);

/** Nodes that pull from the registry container, whose folder of registries is read at each pull. */
const configuration = {
  kind: "Cluster",
  apiVersion: "kind.x-k8s.io/v1alpha4",
  containerdConfigPatches: [
    '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"',
  ],
};

/** Whether a Docker engine answers and kind's own release can be had. */
export async function kindIsPossible(): Promise<boolean> {
  const { exitCode } = await execa("docker", ["info"], { reject: false, timeout: 10_000 });
  return exitCode === 0 && (await isReachable(release));
}

/** Downloads the kind program, unless it is there. */
export async function installKind(): Promise<void> {
  if (!existsSync(folder)) await install({ url: release, checksums: `${release}.sha256sum` }, folder);
}

/**
 * Creates a kind cluster with an image registry on localhost, or starts what is missing of it.
 *
 * @throws Failure with the last lines of the program that failed
 */
export async function startKind(): Promise<Cluster> {
  privateFolder(state());
  const kubeconfig = state("kubeconfig.yaml");
  const clusters = await kind(["get", "clusters"]);
  if (!clusters.split("\n").includes(NAME)) {
    await kind(
      ["create", "cluster", "--name", NAME, "--wait", "120s", "--config", "-"],
      JSON.stringify(configuration),
    );
  }
  await kind(["export", "kubeconfig", "--name", NAME, "--kubeconfig", kubeconfig]);
  await startRegistry();
  return {
    description: `kind cluster ${NAME}`,
    kubeconfig,
    context: `kind-${NAME}`,
    networkPolicies: "enforced",
    imageEnvironment: {},
    settings: {
      kubernetes: { context: `kind-${NAME}` },
      workerImage: { repository: `${REGISTRY.host}/temporal-stack/worker`, platform: MACHINE_PLATFORM },
    },
  };
}

/** Deletes the kind cluster and its registry, if they are there: without the program nothing was ever made. */
export async function stopKind(): Promise<void> {
  if (!existsSync(`${folder}/${file}`)) return;
  await kind(["delete", "cluster", "--name", NAME]);
  await run("docker", ["rm", "--force", REGISTRY.container]);
}

async function startRegistry(): Promise<void> {
  const [port] = REGISTRY.host.split(":").slice(1);
  const running = await run("docker", [
    "ps",
    "--all",
    "--filter",
    `name=^${REGISTRY.container}$`,
    "--format",
    "{{.Names}}",
  ]);
  if (running.trim() === "") {
    await run("docker", [
      ...["run", "--detach", "--restart", "unless-stopped", "--name", REGISTRY.container],
      ...["--publish", `127.0.0.1:${port}:5000`, "--network", "kind", REGISTRY.image],
    ]);
  }
  const hosts = `/etc/containerd/certs.d/${REGISTRY.host}`;
  for (const node of (await kind(["get", "nodes", "--name", NAME])).trim().split("\n")) {
    await run("docker", ["exec", node, "mkdir", "-p", hosts]);
    await run(
      "docker",
      ["exec", "--interactive", node, "cp", "/dev/stdin", `${hosts}/hosts.toml`],
      `[host."http://${REGISTRY.container}:5000"]\n`,
    );
  }
}

const kind = (args: readonly string[], input?: string): Promise<string> =>
  run(`${folder}/${file}`, args, input);

async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const result = await execa(program, args, { reject: false, ...(input === undefined ? {} : { input }) });
  if (result.failed) {
    throw new Failure(
      `${program.split("/").at(-1) ?? program} ${args.slice(0, 2).join(" ")} failed`,
      "the lines above name the cause; run the command again",
      lastLines(result.stderr),
    );
  }
  return result.stdout;
}
