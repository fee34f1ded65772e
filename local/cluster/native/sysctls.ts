import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { state } from "../../../common/paths";

/** What the kubelet sets for the whole machine when it starts (`setupKernelTunables` in its container manager). */
const kubeletValues: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

const recordFile = state("sysctls.json");
const recordSchema = z.object({ boot: z.string(), values: z.record(z.string(), z.string()) });
const SYSCTLS = "/proc/sys";

/**
 * Records the kernel settings that the kubelet is about to change, once for each boot: a kubelet that is started again
 * finds its own values.
 *
 * @param folder for tests: another one than the kernel's
 */
export async function recordSysctls(folder: string = SYSCTLS): Promise<void> {
  const boot = await bootId(folder);
  if ((await recorded())?.boot === boot) return;
  const values: Record<string, string> = {};
  for (const name of Object.keys(kubeletValues)) {
    if (existsSync(join(folder, name))) values[name] = await read(folder, name);
  }
  await writeFile(`${recordFile}.incomplete`, JSON.stringify({ boot, values }, null, 2), { mode: 0o600 });
  await rename(`${recordFile}.incomplete`, recordFile);
}

/** Puts the recorded values back, but for a setting that somebody has changed since, and for those of an earlier boot. */
export async function restoreSysctls(folder: string = SYSCTLS): Promise<void> {
  const record = await recorded();
  if (record === undefined) return;
  if (record.boot === (await bootId(folder))) {
    for (const [name, value] of Object.entries(record.values)) {
      const current = await read(folder, name);
      if (current !== value && current === kubeletValues[name]) await writeFile(join(folder, name), value);
    }
  }
  await rm(recordFile);
}

async function recorded(): Promise<z.infer<typeof recordSchema> | undefined> {
  return existsSync(recordFile)
    ? recordSchema.parse(JSON.parse(await readFile(recordFile, "utf8")))
    : undefined;
}

const read = async (folder: string, name: string): Promise<string> =>
  (await readFile(join(folder, name), "utf8")).trim();

const bootId = (folder: string): Promise<string> => read(folder, "kernel/random/boot_id");
