import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { Failure } from "../failure";
import type { OfficialDownload } from "./programs";

const PROBE_TIMEOUT_MS = 5_000;

/**
 * The address that a download is fetched from. With `TEMPORAL_STACK_DOWNLOADS` set, a mirror that keeps the
 * real host and path below its own address: `https://host/path` becomes `<mirror>/host/path`.
 */
export function addressOf(url: string): string {
  const mirror = process.env["TEMPORAL_STACK_DOWNLOADS"];
  return mirror === undefined ? url : `${mirror.replace(/\/$/, "")}/${url.replace(/^https:\/\//, "")}`;
}

/** Whether a published file answers at all: a company proxy that knows only registries refuses it. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    const response = await fetch(addressOf(url), {
      method: "HEAD",
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Installs an official download's members into a folder, whole or not at all.
 *
 * @throws Failure when the file cannot be fetched, is not in the published list or has another checksum
 */
export async function install(download: OfficialDownload, folder: string): Promise<void> {
  const name = basename(download.url);
  const expected = checksumFor(name, await text(download.checksums));
  if (expected === undefined) {
    throw new Failure(
      `${name} is not in the published list ${download.checksums}`,
      "check the version in components/versions.ts against the project's releases",
    );
  }
  await mkdir(dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}.incomplete-`);
  try {
    const file = join(staging, name);
    const actual = await save(download.url, file);
    if (actual !== expected) {
      throw new Failure(
        `${download.url} has SHA-256 ${actual}, but ${expected} is published`,
        "the download was cut off or changed on its way: run the command again, or ask who runs the proxy",
      );
    }
    if (download.members === undefined) await chmod(file, 0o755);
    else await unpack(file, download.members, staging);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Finds a file's SHA-256 in a list of `<hash>  <file>` lines, or in a list that is the hash alone. */
export function checksumFor(file: string, list: string): string | undefined {
  const entries = list
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([hash]) => hash !== undefined && /^[0-9a-f]{64}$/i.test(hash));
  const entry = entries.find(([, name]) => name?.replace(/^\*/, "") === file);
  const only = entries.length === 1 && entries[0]?.length === 1 ? entries[0] : undefined;
  return (entry ?? only)?.[0]?.toLowerCase();
}

async function unpack(
  archive: string,
  members: Readonly<Record<string, string>>,
  folder: string,
): Promise<void> {
  const unpacked = await mkdtemp(join(folder, "unpacked-"));
  await execa("tar", ["--extract", "--gzip", "--file", archive, "--directory", unpacked]);
  for (const [name, member] of Object.entries(members)) {
    await rename(join(unpacked, member), join(folder, name));
    await chmod(join(folder, name), 0o755);
  }
  await rm(unpacked, { recursive: true });
  await rm(archive);
}

async function request(url: string): Promise<Response> {
  const response = await fetch(addressOf(url)).catch((error: unknown) => {
    throw new Failure(`${url} cannot be fetched: ${String(error)}`, "check the network and run the command again");
  });
  if (!response.ok) {
    throw new Failure(
      `${url} answers ${response.status}`,
      "check the version in components/versions.ts against the project's releases",
    );
  }
  return response;
}

const text = async (url: string): Promise<string> => (await request(url)).text();

async function save(url: string, file: string): Promise<string> {
  const { body } = await request(url);
  if (body === null) throw new Failure(`${url} answers with nothing`, "run the command again");
  await pipeline(Readable.fromWeb(body), createWriteStream(file));
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
