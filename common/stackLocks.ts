import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { runsAs } from "./processes";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string() });
/** A lock that the Pulumi CLI takes on a stack of a self-managed backend: who holds, or held, it. */
export type StackLock = z.infer<typeof lockSchema>;

/**
 * The locks on a stack of a backend of plain files.
 * @param backend the backend's folder
 */
export async function stackLocks(backend: string, project: string, stack: string): Promise<StackLock[]> {
  const folder = join(backend, ".pulumi/locks/organization", project, stack);
  if (!existsSync(folder)) return [];
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json"));
  return Promise.all(
    files.map(async (file) => lockSchema.parse(JSON.parse(await readFile(join(folder, file), "utf8")))),
  );
}

/** The locks that the CLI names when it finds a stack locked, on any self-managed backend. */
export function locksNamed(message: string): StackLock[] {
  return [...message.matchAll(/: created by (\S+)@(\S+) \(pid (\d+)\) at /g)].map(
    ([, username = "", host = "", pid]) => ({ pid: Number(pid), username, hostname: host }),
  );
}

/**
 * Whether the lock's owner still runs. A lock of another machine counts as held: nobody here can know. The number
 * of a process is used again after a reboot: so its name counts, too.
 */
export const isHeld = ({ hostname: host, pid }: StackLock): boolean =>
  host !== hostname() || runsAs(pid, "pulumi");
