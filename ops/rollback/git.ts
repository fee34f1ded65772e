import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../../common/failure";
import type { Commits } from "./obstacles";

const PROGRAM = "program";
/** What the temporary folders of these commands begin with. */
const TEMPORARY = join(tmpdir(), "temporal-stack-");

/** Removes a temporary folder of these commands, and no other. */
async function removeTemporary(folder: string): Promise<void> {
  if (folder.startsWith(TEMPORARY)) await rm(folder, { recursive: true, force: true });
}

/** The clone that a checkout belongs to. */
export class Clone implements Commits {
  constructor(private readonly checkout: string) {}

  /** Folder for what belongs to this clone and is no part of it; undefined if this is no clone. */
  get privateFolder(): string | undefined {
    const folder = this.git("rev-parse", "--git-common-dir");
    return folder === undefined ? undefined : join(resolve(this.checkout, folder), "temporal-stack");
  }

  has(commit: string): boolean {
    return this.git("cat-file", "-e", `${commit}^{commit}`) !== undefined;
  }

  exports(commit: string, output: string): boolean {
    const program = this.git("show", `${commit}:./index.ts`) ?? "";
    return new RegExp(`^export const ${output}\\b`, "m").test(program);
  }

  /** Checks a commit out in a temporary folder; the checkout stays as it is, whatever is changed in it. */
  async addWorktree(commit: string): Promise<string> {
    const folder = join(mkdtempSync(`${TEMPORARY}rollback-`), PROGRAM);
    // Hooks are for people who work in a checkout.
    const quiet = ["-C", this.checkout, "-c", "core.hooksPath=/dev/null"];
    const args = [...quiet, "worktree", "add", "--quiet", "--detach", folder, commit];
    const { failed, all } = await execa("git", args, { reject: false, all: true });
    if (failed) {
      throw new Failure(
        `commit ${commit} cannot be checked out`,
        "resolve what Git names above, then run the command again",
        lastLines(all),
      );
    }
    return folder;
  }

  /** The folder of the program in a worktree: it need not be the root of the repository. */
  programIn(worktree: string): string {
    return join(worktree, this.git("rev-parse", "--show-prefix") ?? "");
  }

  /** Removes a folder that {@link addWorktree} made, also one of a command that was killed. */
  async removeWorktree(folder: string): Promise<void> {
    await removeTemporary(resolve(folder, ".."));
    await execa("git", ["-C", this.checkout, "worktree", "prune"], { reject: false });
  }

  /** Removes a temporary folder that a killed command left, whatever it was for. */
  async removeLeft(folder: string): Promise<void> {
    if (basename(folder) === PROGRAM) await this.removeWorktree(folder);
    else await removeTemporary(folder);
  }

  private git(...args: string[]): string | undefined {
    try {
      return execFileSync("git", ["-C", this.checkout, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      return undefined;
    }
  }
}
