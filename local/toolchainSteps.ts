import { existsSync, readdirSync, statSync } from "node:fs";
import { lstat, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import type { ListrTask } from "listr2";
import { plugins, tools } from "../settings/versions";
import type { ClusterWay } from "../common/localStack";
import { checkout } from "../common/paths";
import { inOrder, sideBySide, step } from "../common/progress";
import { pulumiHome } from "../common/localStack";
import { workflowClient } from "../common/smoke/run";
import { installDebianPackages } from "../toolchain/debian";
import { install } from "../toolchain/download";
import { commandPath, isInstalled, programFolder } from "../toolchain/install";
import { installPlugins } from "../toolchain/plugins/install";
import { pluginDownload, type Program, programs } from "../toolchain/programs";
import { isDownloaded, programStep, type Source } from "../toolchain/steps";

/** What is to be deployed decides about the programs. */
export interface Needs {
  readonly way: ClusterWay;
  /** Whether this machine's own cluster runs what the charts run. */
  readonly charts: boolean;
}

/** The programs that a finished workflow needs, in two queues of about the same length: one for each core. */
const queues: Readonly<Record<ClusterWay, readonly (readonly Program[])[]>> = {
  context: [[programs.pulumi]],
  kind: [[programs.pulumi]],
  native: [
    [programs.kubernetes, programs.temporal, programs.coredns, programs.localPathProvisioner],
    [programs.pulumi],
  ],
};

/** What the charts' pods run, on this machine's own cluster. */
const chartQueues: readonly (readonly Program[])[] = [
  [programs.cloudNativePg],
  [programs.temporalSqlTool, programs.temporalServer, programs.temporalUi],
];

function queuesFor({ way, charts }: Needs, source: Source): Program[][] {
  const [first = [], second = []] = queues[way];
  const [firstOfCharts = [], secondOfCharts = []] = charts && way === "native" ? chartQueues : [];
  const provider = source === "official" ? [] : [programs.kubernetesProvider];
  return [
    [...first, ...firstOfCharts],
    [...provider, ...second, ...secondOfCharts],
  ];
}

/** Seconds of compiling that are still ahead. */
export const buildSeconds = (needs: Needs, source: Source): number =>
  queuesFor(needs, source)
    .flat()
    .filter((program) => !isInstalled(program) && !isDownloaded(program, source))
    .reduce((sum, { build }) => sum + build.seconds, 0);

/** The steps that provide every program on the way to the first workflow. */
export function toolchainSteps(needs: Needs, source: Source): ListrTask[] {
  const [first = [], second = []] = queuesFor(needs, source).map((queue) =>
    queue.map((program) => programStep(program, source)),
  );
  return [
    ...(needs.way === "native" ? [debianPackages] : []),
    sideBySide("programs", [
      step("worker's client", buildWorkerClient, {
        done: () => builtAt(workflowClient) > changedAt(workerSources),
      }),
      inOrder("first queue", first),
      inOrder("second queue", second),
    ]),
    step("Pulumi plugins", () => providePlugins(source)),
  ];
}

/**
 * The steps that provide every program of this machine's own cluster, its add-ons, both stacks and the tests: what
 * they wait for is then never a compiler.
 */
export function wholeToolchainSteps(source: Source): ListrTask[] {
  const [first = [], second = []] = queuesFor({ way: "native", charts: true }, source);
  // Behind the operator, with which they share what is compiled.
  const more = [programs.networkPolicyEnforcer, programs.metricsServer, programs.actionlint];
  return [
    debianPackages,
    sideBySide("programs", [
      inOrder(
        "first queue",
        [...first, ...more].map((program) => programStep(program, source)),
      ),
      inOrder(
        "second queue",
        second.map((program) => programStep(program, source)),
      ),
    ]),
    step("Pulumi plugins", () => providePlugins(source)),
  ];
}

const debianPackages = step("Debian packages: etcd, containerd, Docker, registry", installDebianPackages);

const workerSources = join(checkout, "worker/src");

const builtAt = (file: string): number => (existsSync(file) ? statSync(file).mtimeMs : 0);

const changedAt = (folder: string): number =>
  Math.max(
    ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
      (path) => statSync(join(folder, path)).mtimeMs,
    ),
  );

async function buildWorkerClient(): Promise<void> {
  await execa("npm", ["run", "--silent", "build"], { cwd: join(checkout, "worker") });
}

async function providePlugins(source: Source): Promise<void> {
  await link(programFolder(programs.pulumi), join(pulumiHome, "versions", programs.pulumi.version, "bin"));
  if (source === "official") {
    for (const [name, version] of Object.entries(plugins)) {
      const folder = pluginFolder(name, version);
      if (!existsSync(folder)) await install(pluginDownload(name, version), folder);
    }
    return;
  }
  // The engine takes no link for a plugin's folder, only for the program in it.
  const provider = programs.kubernetesProvider;
  await link(commandPath(provider), join(pluginFolder("kubernetes", provider.version), provider.commands[0]));
  await installPlugins({
    pulumiHome,
    cliDirectory: dirname(commandPath(programs.pulumi)),
    sdkRoot: checkout,
    versions: { cli: tools.pulumi, random: plugins.random, docker: plugins.docker },
  });
}

const pluginFolder = (name: string, version: string): string =>
  join(pulumiHome, "plugins", `resource-${name}-v${version}`);

/** Another process may start the plugin meanwhile: the link is there all the time. */
async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (!(await isLink(path))) await rm(path, { recursive: true, force: true });
  const fresh = `${path}.${process.pid}`;
  await symlink(target, fresh);
  await rename(fresh, path);
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );
