import { readdirSync, readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { execaSync } from "execa";
import { contents } from "../../common/processes";

const OURS = /temporal-stack|kube|etcd|containerd|dockerd|docker-registry|catatonit|portForward/;

/** Every process that these tests start, and what it starts, has this in its environment: others run beside them. */
const MARK = `TEMPORAL_STACK_E2E=${randomUUID()}`;
const [variable = "", value] = MARK.split("=");
process.env[variable] = value;

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
    processes: lines("ps", ["-eo", "pid=,args="])
      .map((line) => /^ *(\d+) (.*)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [{ pid: Number(match[1]), args: match[2] ?? "" }]))
      .filter(({ pid, args }) => OURS.test(args) && contents(pid, "environ").split("\0").includes(MARK))
      .map(({ args }) => args),
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
