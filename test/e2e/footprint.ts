import { readdirSync, readFileSync } from "node:fs";
import { execaSync } from "execa";

const OURS = /temporal-stack|kube|etcd|containerd|dockerd|docker-registry|catatonit|portForward/;

/** Everything of a machine that a cluster could leave behind. */
export interface Footprint {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly rules: readonly string[];
  readonly cgroups: readonly string[];
}

export function footprint(): Footprint {
  return {
    processes: lines("ps", ["-eo", "args"]).filter((args) => OURS.test(args) && !args.includes("mocha")),
    mounts: readFileSync("/proc/self/mounts", "utf8").trim().split("\n").sort(),
    interfaces: lines("ip", ["-brief", "link"]).map((line) => line.split(/\s+/)[0] ?? ""),
    rules: ["iptables-save", "ip6tables-save"].flatMap((save) =>
      lines(save, [])
        .filter((line) => !line.startsWith("#"))
        .map((line) => line.replace(/\[\d+:\d+\]/, "")),
    ),
    cgroups: readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter((path) =>
      /temporal-stack|kubepods|docker\b/.test(path),
    ),
  };
}

function lines(program: string, args: readonly string[]): string[] {
  return execaSync(program, args)
    .stdout.split("\n")
    .filter((line) => line !== "");
}
