import { homedir } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { isHeld, type StackLock, stackLocks } from "../../common/stackLocks";
import { askPulumi, stackNameOf, type Workspace } from "../stack/workspace";

const whoami = z.object({ url: z.string() });

/** Where a stack's state is, and who holds it. */
export interface LockedBackend {
  readonly url: string;
  /** Undefined on backends that show locks only to who asks for one. */
  readonly locks: StackLock[] | undefined;
}

/** Asks for a stack's backend and the locks there. */
export async function lockedBackend(workspace: Workspace): Promise<LockedBackend> {
  const { project, stack } = workspace;
  const { url } = whoami.parse(JSON.parse(await askPulumi(workspace, ["whoami", "--verbose", "--json"])));
  const folder = folderOf(url);
  const locks = folder === undefined ? undefined : await stackLocks(folder, project, stackNameOf(stack));
  return { url, locks };
}

/** The locks on a stack; undefined on backends that show them only to who asks for the lock. */
export const locksOf = async (workspace: Workspace): Promise<StackLock[] | undefined> =>
  (await lockedBackend(workspace)).locks;

/** The folder of a backend of plain files; undefined for any other. */
export function folderOf(url: string): string | undefined {
  if (url.startsWith("file://~")) return resolve(homedir(), url.slice("file://~".length).replace(/^\//, ""));
  return url.startsWith("file:///") ? fileURLToPath(url.replace(/\?.*$/, "")) : undefined;
}

/** For people: who holds a lock, or held it. */
export const ownerOf = ({ pid, username, hostname }: StackLock): string =>
  `process ${pid} of ${username} on ${hostname}`;

/**
 * Makes sure, as far as the backend tells, that nobody works on a stack.
 *
 * @throws Failure when somebody does, or the lock of a process that is gone is left
 */
export async function requireFree(workspace: Workspace): Promise<void> {
  const found = (await locksOf(workspace)) ?? [];
  const [first] = found;
  if (first === undefined) return;
  const { stack } = workspace;
  const held = found.find(isHeld);
  if (held !== undefined) {
    throw new Failure(
      `another command works on stack ${stack}: ${ownerOf(held)}; nothing was changed`,
      "wait until it ends, then run the command again",
    );
  }
  throw new Failure(
    `stack ${stack} is locked by ${ownerOf(first)}, which is gone; nothing was changed`,
    `npm run recover -- -s ${stack} removes the lock and resolves what was interrupted; then run the command again`,
  );
}
