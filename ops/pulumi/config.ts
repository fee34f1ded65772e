import { z } from "zod";
import { Failure } from "../../common/failure";
import { type CliOptions, jsonOf, type StackCli } from "./cli";

const value = z.object({
  value: z.string().optional(),
  objectValue: z.unknown(),
  secret: z.boolean(),
});
const config = z.record(z.string(), value);

/** Configuration of a stack by full key; values of secrets are in the clear: to compare, never to show. */
export type StackConfig = z.output<typeof config>;

const history = z.array(
  z.object({
    kind: z.string(),
    result: z.string().optional(),
    startTime: z.string(),
    message: z.string(),
    environment: z.record(z.string(), z.string()).nullish(),
    config,
  }),
);
/** An update as the history of a stack has it. */
export type HistoryEntry = z.output<typeof history>[number];

/** What the CLI writes in place of a value that it cannot decrypt. */
const UNDECRYPTABLE = "ERROR_UNABLE_TO_DECRYPT";
/** Updates that are looked through for one that succeeded. */
const PAGE = 50;

/**
 * The configuration that the next update would have: the stack file's.
 *
 * @param file instead of `Pulumi.<stack>.yaml`
 * @throws Failure as {@link jsonOf}
 */
export async function currentConfig(
  cli: StackCli,
  file?: string,
  options?: CliOptions,
): Promise<StackConfig> {
  const from = file === undefined ? [] : ["--config-file", file];
  return config.parse(await jsonOf(cli, ["config", ...from, "--show-secrets"], options));
}

/**
 * The last update that succeeded.
 *
 * @returns undefined if there is none
 * @throws Failure as {@link jsonOf}, and when its secrets cannot be read
 */
export async function lastUpdate(cli: StackCli, options?: CliOptions): Promise<HistoryEntry | undefined> {
  const args = ["stack", "history", "--show-secrets", "--page-size", String(PAGE)];
  const entries = history.parse(await jsonOf(cli, args, options));
  const last = entries.find(({ kind, result }) => kind === "update" && result === "succeeded");
  if (last !== undefined && Object.values(last.config).some((entry) => entry.value === UNDECRYPTABLE)) {
    throw new Failure(
      "the secrets in the history are encrypted with another key",
      "deploy once: the history then has them with the present one",
    );
  }
  return last;
}
