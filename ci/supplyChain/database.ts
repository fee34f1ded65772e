import { createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { inflateRawSync } from "node:zlib";
import { fromBufferPromise } from "yauzl";
import { type Advisory, advisorySchema } from "./advisory";

/** The public database: advisories of each ecosystem as one archive. */
export const OSV = "https://osv-vulnerabilities.storage.googleapis.com";

const DOWNLOAD_MS = 10 * 60_000;
const LARGEST_ADVISORY = 10_000_000;
const MOST_ADVISORIES = 5_000_000;
/** Methods of compression in ZIP archives. */
const STORED = 0;
const DEFLATED = 8;

/**
 * Fewer advisories are a remnant and no database. About a tenth of what OSV published at the end of 2025: npm about
 * 200 000, Debian about 50 000, Bitnami about 6 000.
 */
const FEWEST: Readonly<Record<string, number>> = { npm: 20_000, Debian: 5_000, Bitnami: 500 };

/** Why a database cannot be asked. */
export class DatabaseUnavailable extends Error {}

/** What was read of one ecosystem. */
export interface Advisories {
  /** Those that name one of the packages that were asked for. */
  readonly relevant: readonly Advisory[];
  /** How many there are. */
  readonly total: number;
  /** When the newest one was written, as an ISO date and time; undefined if all are of the future. */
  readonly newest: string | undefined;
}

/** When a database is one. */
export interface DatabaseRules {
  /** What is dated later than this says nothing about the age of the data. */
  readonly now: Date;
  /** How many advisories an ecosystem has at least; default: by ecosystem. */
  readonly fewest?: number | undefined;
}

/**
 * Reads the advisories of an ecosystem about some packages.
 *
 * @param location folder or address with `<ecosystem>/all.zip`, as OSV publishes it; a folder may hold
 * `<ecosystem>/*.json` instead
 * @param ecosystem such as `npm` or `Debian:13`, whose archive is `Debian/all.zip`
 * @throws DatabaseUnavailable when it cannot be reached, has too few advisories, or holds one that is none
 */
export async function readAdvisories(
  location: string,
  ecosystem: string,
  packages: ReadonlySet<string>,
  { now, fewest }: DatabaseRules,
): Promise<Advisories> {
  const folder = ecosystem.split(":")[0] ?? ecosystem;
  const relevant: Advisory[] = [];
  let total = 0;
  let newest: string | undefined;
  let newestTime = Number.NEGATIVE_INFINITY;
  const take = (name: string, text: string): void => {
    const advisory = parseAdvisory(name, text);
    total += 1;
    if (total > MOST_ADVISORIES) throw new DatabaseUnavailable(`more than ${MOST_ADVISORIES} advisories`);
    const time = Date.parse(advisory.modified);
    if (time > newestTime && time <= now.getTime()) [newest, newestTime] = [advisory.modified, time];
    const names = advisory.affected.map((entry) => entry.package);
    if (names.some((entry) => entry?.ecosystem === ecosystem && packages.has(entry.name)))
      relevant.push(advisory);
  };
  if (/^https?:\/\//.test(location)) await fromAddress(`${location}/${folder}/all.zip`, take);
  else await fromFolder(join(location, folder), take);
  const expected = fewest ?? FEWEST[folder] ?? 1;
  if (total < expected) {
    throw new DatabaseUnavailable(
      `${location} has ${total} advisories of ${folder}, expected at least ${expected} (--fewest)`,
    );
  }
  return { relevant, total, newest };
}

type Take = (name: string, text: string) => void;

async function fromFolder(folder: string, take: Take): Promise<void> {
  if (!existsSync(folder)) throw new DatabaseUnavailable(`there is no folder ${folder}`);
  const archive = join(folder, "all.zip");
  if (existsSync(archive)) return fromArchive(archive, take);
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith(".json"),
  );
  for (const { name } of files) take(name, readFileSync(join(folder, name), "utf8"));
}

async function fromAddress(url: string, take: Take): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-osv-"));
  try {
    const archive = join(folder, "all.zip");
    await download(url, archive);
    await fromArchive(archive, take);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(url: string, file: string): Promise<void> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!response.ok || response.body === null) {
      throw new DatabaseUnavailable(`${url} answers ${response.status}`);
    }
    await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new DatabaseUnavailable(`${url} cannot be fetched: ${String(cause)}`);
  }
}

/** In memory and without streams: there are 200 000 small files in an archive. */
async function fromArchive(file: string, take: Take): Promise<void> {
  try {
    const content = await readFile(file);
    const archive = await fromBufferPromise(content);
    for await (const entry of archive.eachEntry()) {
      if (!entry.fileName.endsWith(".json")) continue;
      const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
      const data = content.subarray(fileDataStart, fileDataStart + entry.compressedSize);
      take(entry.fileName, inflated(data, entry.compressionMethod).toString());
    }
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    throw new DatabaseUnavailable(
      `the archive of ${file.split("/").at(-2) ?? ""} is damaged: ${String(error)}`,
    );
  }
}

function inflated(data: Buffer, method: number): Buffer {
  if (method === STORED) return data;
  if (method === DEFLATED) return inflateRawSync(data, { maxOutputLength: LARGEST_ADVISORY });
  throw new DatabaseUnavailable(`an advisory is compressed by method ${method}`);
}

function parseAdvisory(name: string, text: string): Advisory {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new DatabaseUnavailable(`${name} is no JSON`);
  }
  const advisory = advisorySchema.safeParse(content);
  if (advisory.success) return advisory.data;
  const [issue] = advisory.error.issues;
  throw new DatabaseUnavailable(
    `${name} is no advisory: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
  );
}
