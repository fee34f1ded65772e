import { z } from "zod";
import type { Release } from "../../components/guards/releases";
import { askPulumi, type Workspace } from "../stack/workspace";

/** Updates that are looked at: each is a file to fetch on a self-managed backend. */
const LOOKED_AT = 100;
/** What the CLI says in place of a secret that the stack's key does not open. */
export const UNREADABLE = "ERROR_UNABLE_TO_DECRYPT";

/** Configuration as the CLI prints it, by full key; only what is no scalar has an `objectValue`. */
export const configSchema = z.record(
  z.string(),
  z.object({
    value: z.string().optional(),
    objectValue: z.unknown().optional(),
    secret: z.boolean().default(false),
  }),
);
/** Configuration of an update by full key, secrets opened. */
export type UpdateConfig = Readonly<z.output<typeof configSchema>>;

/** What `pulumi stack history --json` prints. */
export const historySchema = z.array(
  z.object({
    kind: z.string(),
    startTime: z.string(),
    endTime: z.string().optional(),
    message: z.string().default(""),
    result: z.string(),
    environment: z.record(z.string(), z.string()).default({}),
    config: configSchema.default({}),
  }),
);
type Entry = z.output<typeof historySchema>[number];

/** One entry of a stack's history, with what the program itself recorded about it. */
export interface Update {
  /** `update`, `refresh`, `destroy`, … */
  readonly kind: string;
  readonly result: string;
  /** ISO 8601, whole seconds. */
  readonly start: string;
  readonly message: string;
  /** Author of the commit, or the CI system that ran the update. */
  readonly who: string | undefined;
  /** Commit of the program, if it was in a Git repository. */
  readonly commit: string | undefined;
  /** Whether the program differed from that commit. */
  readonly dirty: boolean;
  readonly config: UpdateConfig;
  /** What was deployed when it had ended; undefined if nobody recorded it. */
  readonly release: Release | undefined;
}

/** A stack's history as the CLI tells it, to be read by {@link updatesOf}. */
export type RawHistory = z.output<typeof historySchema>;

/**
 * The history of a stack, newest first, as the CLI tells it on every backend. Secrets of its settings are opened.
 *
 * @throws Failure with what the CLI says, such as of a wrong passphrase
 */
export async function readHistory(workspace: Workspace): Promise<RawHistory> {
  const args = ["stack", "history", "--json", "--show-secrets", "--page-size", String(LOOKED_AT)];
  return historySchema.parse(JSON.parse(await askPulumi(workspace, args)));
}

/** When the newest update began; undefined if there is none. */
export async function newestStart(workspace: Workspace): Promise<string | undefined> {
  const args = ["stack", "history", "--json", "--page-size", "1"];
  return historySchema.parse(JSON.parse(await askPulumi(workspace, args)))[0]?.startTime;
}

/**
 * The updates of a stack, newest first.
 *
 * @param releases what the program recorded, oldest first
 */
export function updatesOf(entries: RawHistory, releases: readonly Release[]): Update[] {
  return entries.map((entry, index) => {
    const release = releaseOf(entry, entries[index - 1], releases);
    const { environment } = entry;
    // The CLI calls a program dirty as soon as the stack file is, to which it writes itself.
    const recorded = release?.commit ?? undefined;
    const commit = recorded ?? environment["git.head"];
    return {
      kind: entry.kind,
      result: entry.result,
      start: entry.startTime,
      message: entry.message,
      who: environment["ci.system"] ?? environment["git.author"],
      commit,
      dirty: recorded === undefined ? environment["git.dirty"] === "true" : release?.dirty === true,
      config: entry.config,
      release,
    };
  });
}

/**
 * The release that was deployed after an update: the last one that was recorded before the next update began, as
 * a program that changes nothing records nothing. A program that failed may have recorded one, or not.
 */
function releaseOf(entry: Entry, next: Entry | undefined, releases: readonly Release[]): Release | undefined {
  const before = (time: string | undefined) =>
    releases.filter((release) => time === undefined || release.time < time);
  const found = before(next?.startTime).at(-1);
  const ofEarlier = found === undefined || found.time < entry.startTime;
  return entry.result !== "succeeded" && ofEarlier ? undefined : found;
}
