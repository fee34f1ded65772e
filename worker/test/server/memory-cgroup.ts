import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** Both versions of cgroups, as far as memory is concerned. */
const FILES = {
  v2: { root: ROOT, limit: "memory.max", swap: "memory.swap.max", noSwap: "0", peak: "memory.peak" },
  v1: {
    root: join(ROOT, "memory"),
    limit: "memory.limit_in_bytes",
    swap: "memory.swappiness",
    noSwap: "0",
    peak: "memory.max_usage_in_bytes",
  },
} as const;

/** A memory limit like that of a container: what needs more is killed. */
export class MemoryCgroup {
  private constructor(
    private readonly folder: string,
    private readonly files: (typeof FILES)[keyof typeof FILES],
  ) {}

  /** @throws where cgroups cannot be made: without root, or where somebody else manages them */
  static create(name: string, limitBytes: number): MemoryCgroup {
    const files = existsSync(join(ROOT, "cgroup.controllers")) ? FILES.v2 : FILES.v1;
    const cgroup = new MemoryCgroup(join(files.root, name), files);
    mkdirSync(cgroup.folder);
    try {
      cgroup.write(files.limit, String(limitBytes));
      cgroup.write(files.swap, files.noSwap);
    } catch (error) {
      cgroup.remove();
      throw error;
    }
    return cgroup;
  }

  /** A shell command that joins the group and becomes `command`. */
  wrap(command: readonly string[]): readonly [string, string[]] {
    return ["sh", ["-c", 'echo $$ > "$0" && exec "$@"', join(this.folder, "cgroup.procs"), ...command]];
  }

  get peakBytes(): number {
    return Number(readFileSync(join(this.folder, this.files.peak), "utf8"));
  }

  /** Removes the group, whose processes must have ended. */
  remove(): void {
    rmdirSync(this.folder);
  }

  private write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }
}
