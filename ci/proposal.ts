import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";

/** Who commits what pipelines propose. */
const AUTHOR = {
  name: "github-actions[bot]",
  email: "41898282+github-actions[bot]@users.noreply.github.com",
};

/** A change of files that somebody is to review. */
export interface Proposal {
  /** Root of the checkout. */
  readonly folder: string;
  /** The only files that may have changed. */
  readonly files: readonly string[];
  readonly branch: string;
  readonly message: string;
  /** Sent to the remote as a header; undefined: the remote needs none. */
  readonly token?: string | undefined;
}

/** Whether anything differs from the commit that is checked out. */
export const hasChanges = async (folder: string): Promise<boolean> =>
  (await git(folder, ["status", "--porcelain"])).trim() !== "";

/**
 * Commits changed files and pushes them as a branch, in place of what that branch was before. The checkout
 * stays on its commit.
 *
 * @throws Failure if other files have changed as well, or the remote refuses
 */
export async function pushProposal({ folder, files, branch, message, token }: Proposal): Promise<void> {
  const changed = (await git(folder, ["status", "--porcelain", "--no-renames"]))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(3));
  const others = changed.filter((file) => !files.includes(file));
  if (others.length > 0) {
    throw new Failure(
      `other files have changed, too: ${others.join(", ")}`,
      `only ${files.join(", ")} may be proposed; start from a clean checkout`,
    );
  }
  await git(folder, ["add", "--", ...files]);
  const tree = (await git(folder, ["write-tree"])).trim();
  const commit = (await git(folder, ["commit-tree", tree, "-p", "HEAD", "-m", message])).trim();
  await git(folder, ["reset", "--quiet"]);
  await git(folder, ["push", "--quiet", "--force", "origin", `${commit}:refs/heads/${branch}`], token);
}

async function git(folder: string, args: readonly string[], token?: string): Promise<string> {
  const { failed, stdout, stderr } = await execa("git", args, {
    cwd: folder,
    reject: false,
    stripFinalNewline: false,
    env: {
      GIT_AUTHOR_NAME: AUTHOR.name,
      GIT_AUTHOR_EMAIL: AUTHOR.email,
      GIT_COMMITTER_NAME: AUTHOR.name,
      GIT_COMMITTER_EMAIL: AUTHOR.email,
      GIT_TERMINAL_PROMPT: "0",
      ...(token === undefined ? {} : authorization(token)),
    },
  });
  if (!failed) return stdout;
  throw new Failure(
    `git ${args[0] ?? ""} failed`,
    "see that the job has `permissions: contents: write`, then run it again",
    lastLines(stderr),
  );
}

/** By environment, as arguments are seen by every process of the machine. */
const authorization = (token: string): Record<string, string> => ({
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "http.extraHeader",
  GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
});
