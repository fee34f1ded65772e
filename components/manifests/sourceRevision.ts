import { execFileSync } from "node:child_process";
import { NEVER_BUILT } from "./contentHash";
import { PROGRAM_PATHSPECS } from "./programPaths";

/** Where the sources of an image come from. */
export interface SourceRevision {
  /** The commit, with `-dirty` if files differ from it; `unknown` where Git cannot tell. */
  readonly commit: string;
  /** When it was committed, in seconds since 1970; 0 if it is unknown. */
  readonly time: number;
}

const UNKNOWN: SourceRevision = { commit: "unknown", time: 0 };

/**
 * The last commit that touched what an image is built from. A commit elsewhere in the repository leaves it as
 * it is. In a shallow clone Git names the oldest commit that it has, whatever that one touched, so that counts
 * as unknown, as does a folder without Git.
 * @param directory build context
 */
export function sourceRevision(directory: string): SourceRevision {
  const paths = ["--", ".", ...NEVER_BUILT.map((name) => `:(exclude)${name}`)];
  const [commit = "", time = "", parents = ""] = (
    git(directory, ["log", "-1", "--format=%H,%ct,%P", ...paths]) ?? ""
  ).split(",");
  if (commit === "") return UNKNOWN;
  if (parents === "" && git(directory, ["rev-parse", "--is-shallow-repository"]) !== "false") return UNKNOWN;
  const changes = git(directory, ["status", "--porcelain", ...paths]);
  return { commit: changes === "" ? commit : `${commit}-dirty`, time: Number(time) };
}

/** The program itself, as Git knows it. */
export interface ProgramRevision {
  /** The commit that is checked out; null where Git cannot tell. */
  readonly commit: string | null;
  /** Whether files of the program differ from it. */
  readonly dirty: boolean;
}

/**
 * The commit that a checkout is at, and whether the program there is that of the commit. Files beside the program
 * do not count: the CLI itself writes to stack files, of which Pulumi's history keeps what each update used.
 * @param directory root of the checkout
 */
export function programRevision(directory: string): ProgramRevision {
  const status = git(directory, ["status", "--porcelain=v2", "--branch", ...PROGRAM_PATHSPECS]) ?? "";
  const commit = /^# branch\.oid ([0-9a-f]{40,})$/m.exec(status)?.[1];
  if (commit === undefined) return { commit: null, dirty: false };
  return { commit, dirty: /^[^#]/m.test(status) };
}

/**
 * The files of the program that differ between two commits, from the root of the checkout.
 * @param directory root of the checkout
 * @returns undefined where Git cannot tell, as for a commit that this clone does not have
 */
export function programChanges(directory: string, from: string, to: string): string[] | undefined {
  const args = ["diff", "--name-only", "--no-renames", "--relative", from, to, ...PROGRAM_PATHSPECS];
  return git(directory, args)?.split("\n").filter(Boolean);
}

function git(directory: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync("git", ["-C", directory, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
