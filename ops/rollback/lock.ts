import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { startTime } from "../../common/processes";

const ownerSchema = z.object({
  pid: z.number(),
  started: z.string(),
  /** Temporary folders. */
  folders: z.array(z.string()).default([]),
});
type Owner = z.output<typeof ownerSchema>;

const NOBODY: Owner = { pid: 0, started: "", folders: [] };

/** What a command that holds the lock does with it. */
export interface RollbackLock {
  /** Remembers a temporary folder, so that it goes even if this process is killed. */
  readonly note: (folder: string) => Promise<void>;
  readonly release: () => Promise<void>;
}

/**
 * Takes the lock that keeps two rollbacks of a stack in one clone apart. From several machines Pulumi's own lock
 * does, but only once an update runs, when both have been chosen and confirmed.
 *
 * @param folder where the lock is kept
 * @param abandoned called with each temporary folder that a killed command left
 * @throws Failure when another command holds it
 */
export async function lockRollback(
  folder: string,
  stack: string,
  abandoned: (folder: string) => Promise<void>,
): Promise<RollbackLock> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `rollback-${stack.replaceAll("/", ".")}.json`);
  const own: Owner = { pid: process.pid, started: startTime(process.pid) ?? "", folders: [] };
  for (;;) {
    if (await written(file, own)) break;
    const owner = await ownerOf(file);
    if (owner === undefined) continue;
    if (startTime(owner.pid) === owner.started) {
      throw new Failure(
        `another rollback of stack ${stack} is under way (process ${owner.pid}); nothing was changed`,
        "wait until it ends, then see npm run history",
      );
    }
    for (const left of owner.folders) await abandoned(left);
    await removeStale(file, owner);
  }
  return {
    note: (made) => {
      own.folders.push(made);
      return writeFile(file, JSON.stringify(own));
    },
    release: () => rm(file, { force: true }),
  };
}

/** Creates the file, with its content at once; false if it is there already. */
async function written(file: string, owner: Owner): Promise<boolean> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(owner));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the lock of a process that is gone, and not one that another command has taken in the meantime. */
async function removeStale(file: string, stale: Owner): Promise<void> {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  if ((await ownerOf(aside))?.pid !== stale.pid) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

/** Who holds the lock; undefined if it is gone by now. What cannot be read is nobody's. */
async function ownerOf(file: string): Promise<Owner | undefined> {
  try {
    const parsed = ownerSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.data ?? NOBODY;
  } catch (error) {
    if (error instanceof SyntaxError) return NOBODY;
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
