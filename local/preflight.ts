import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { execa } from "execa";
import type { ClusterWay } from "../common/localStack";
import { Failure } from "../common/failure";
import { claimFolder, foreignFolderProblems, ownedCache, ownedState } from "../common/ownedFolders";
import { cacheFolder, stateFolder } from "../common/paths";
import { dockerProgram } from "../toolchain/plugins/dockerProvider/cli";
import { nodeSandbox } from "./cluster/native/cluster";
import { cableExists, isConnected, OTHER_CLUSTER } from "./cluster/native/network";
import { runningPid } from "./cluster/native/process";

const GIB = 1024 ** 3;
/** Room for images and data. */
const RUN_DISK_GIB = 5;
/** What Go's caches and the program take: 15.3 GiB were measured for everything, 2 100 s of compiling. */
const DISK_GIB_PER_BUILD_SECOND = 0.01;
/** Everything at rest uses 1.5 GiB; linking the largest program takes 3 GiB beside it. */
const MEMORY_GIB = 4;
/** A Unix socket's path may have 107 bytes; the longest one in the state folder has 30. */
const STATE_PATH_LIMIT = 77;

export interface Preflight {
  readonly way: ClusterWay;
  /** Seconds of compiling that are ahead; 0: none. */
  readonly buildSeconds: number;
  readonly ports: readonly number[];
  /** Whether the worker's image is built here; else its digest is in the stack file. */
  readonly buildsImage?: boolean;
  /** What else was found to be in the way. */
  readonly more?: readonly string[];
}

/**
 * Looks for everything that would stop the set-up half-way, before anything is made; then makes the two folders.
 *
 * @throws Failure naming every problem at once
 */
export async function checkMachine({
  way,
  buildSeconds,
  ports,
  buildsImage = true,
  more = [],
}: Preflight): Promise<void> {
  const problems = [
    ...more,
    ...[ownedCache, ownedState].flatMap(foreignFolderProblems),
    ...(way === "native" ? await nativeProblems(buildSeconds > 0) : []),
    ...(way === "kind" || (way === "context" && buildsImage) ? await builderProblems(way) : []),
    ...(await diskProblems(buildSeconds)),
    ...(await portProblems(ports)),
  ];
  if (problems.length > 0) {
    throw new Failure(
      problems.length === 1
        ? "this machine is not ready"
        : `this machine is not ready, for ${problems.length} reasons`,
      "resolve this, then run the command again",
      problems,
    );
  }
  for (const folder of [ownedCache, ownedState]) claimFolder(folder);
}

async function nativeProblems(mustBuild: boolean): Promise<string[]> {
  const problems: string[] = [];
  if (process.platform !== "linux" || !existsSync("/etc/debian_version")) {
    problems.push(
      "a cluster on this machine itself needs Debian: start Docker for kind, or use --context NAME",
    );
  }
  if (process.getuid?.() !== 0) {
    problems.push(
      "a cluster on this machine itself needs root: use sudo, start Docker for kind, or use --context NAME",
    );
  }
  if ((await cableExists()) && !(await isConnected(nodeSandbox))) problems.push(OTHER_CLUSTER);
  if (totalmem() < MEMORY_GIB * GIB) {
    problems.push(
      `${MEMORY_GIB} GiB of memory are needed, there are ${gib(totalmem())} (${gib(freemem())} free)`,
    );
  }
  if (mustBuild) {
    const { exitCode } = await execa("go", ["version"], { reject: false });
    if (exitCode !== 0)
      problems.push("Go is not on PATH, and programs have to be built: install Go 1.26.4 or newer");
  }
  if (stateFolder.length > STATE_PATH_LIMIT) {
    problems.push(
      `the state folder's path is longer than ${STATE_PATH_LIMIT} characters: set TEMPORAL_STACK_STATE`,
    );
  }
  return problems;
}

/** The worker's image is built by the user's own Docker, which a local cluster of this machine brings itself. */
async function builderProblems(way: ClusterWay): Promise<string[]> {
  const works = async (...args: string[]): Promise<boolean> =>
    (await execa(dockerProgram(), args, { reject: false, timeout: 10_000 })).exitCode === 0;
  if (!(await works("info"))) {
    return [
      "docker info fails: the worker's image is built with Docker; install and start it" +
        (way === "kind" ? ", or use --native" : ""),
    ];
  }
  return (await works("buildx", "version"))
    ? []
    : ["docker buildx version fails: install Docker's plugin buildx, which builds the worker's image"];
}

async function diskProblems(buildSeconds: number): Promise<string[]> {
  const needed = Math.ceil(RUN_DISK_GIB + buildSeconds * DISK_GIB_PER_BUILD_SECOND);
  const { bavail, bsize } = await statfs(existingAncestor(cacheFolder));
  const free = bavail * bsize;
  return free >= needed * GIB
    ? []
    : [
        `${cacheFolder} needs ${needed} GiB of free disk, there are ${gib(free)}: free some, or set TEMPORAL_STACK_CACHE`,
      ];
}

const existingAncestor = (path: string): string =>
  existsSync(path) ? path : existingAncestor(dirname(path));

async function portProblems(ports: readonly number[]): Promise<string[]> {
  if (runningPid("port-forward") !== undefined) return [];
  const taken = await Promise.all(ports.map(async (port) => ((await isFree(port)) ? [] : [port])));
  return taken
    .flat()
    .map((port) => `port ${port} on 127.0.0.1 is taken: find its owner with ss -tlnp 'sport = :${port}'`);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
