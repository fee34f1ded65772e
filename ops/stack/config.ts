import { z } from "zod";
import { Failure } from "../../common/failure";
import { checkout } from "../../common/paths";
import { configSchema, UNREADABLE, type UpdateConfig } from "../history/updates";
import { withCopies } from "./workspace";
import { pulumiJson, type StackCli } from "../../common/pulumi";

/** Configuration of a stack by full key; values of secrets are in the clear: to compare, never to show. */
export type StackConfig = UpdateConfig;

const history = z.array(
  z.object({
    kind: z.string(),
    result: z.string().optional(),
    startTime: z.string(),
    message: z.string(),
    environment: z.record(z.string(), z.string()).nullish(),
    config: configSchema,
  }),
);
/** An update as the history of a stack has it. */
export type HistoryEntry = z.output<typeof history>[number];

/** Updates that are looked through for one that succeeded. */
const PAGE = 50;

/** Which settings are meant. */
export interface ConfigOptions {
  /** Folder of the project; default: the checkout. */
  readonly cwd?: string | undefined;
  /** Instead of `Pulumi.<stack>.yaml`. */
  readonly configFile?: string | undefined;
}

/**
 * The configuration that the next update would have: the stack file's.
 *
 * @throws Failure as {@link pulumiJson}
 */
export async function currentConfig(cli: StackCli, options: ConfigOptions = {}): Promise<StackConfig> {
  return configSchema.parse(await inCopy(cli, options, ["config", "--show-secrets"]));
}

/**
 * The last update that succeeded.
 *
 * @returns undefined if there is none
 * @throws Failure as {@link pulumiJson}, and when its secrets cannot be read
 */
export async function lastUpdate(
  cli: StackCli,
  options: ConfigOptions = {},
): Promise<HistoryEntry | undefined> {
  const args = ["stack", "history", "--show-secrets", "--page-size", String(PAGE)];
  const entries = history.parse(await inCopy(cli, options, args));
  const last = entries.find(({ kind, result }) => kind === "update" && result === "succeeded");
  if (last !== undefined && Object.values(last.config).some((entry) => entry.value === UNREADABLE)) {
    throw new Failure(
      "the secrets in the history are encrypted with another key",
      "deploy once: the history then has them with the present one",
    );
  }
  return last;
}

/** Runs a command where it leaves the checkout's files as they are. */
const inCopy = (
  cli: StackCli,
  { cwd = checkout, configFile }: ConfigOptions,
  args: readonly string[],
): Promise<unknown> =>
  withCopies(cli.stack, (folder) => pulumiJson(cli, args, { cwd: folder }), cwd, configFile);
