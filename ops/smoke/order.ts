import { execa } from "execa";
import { lastLines } from "../../common/failure";
import { systemCertificates } from "../replay/gate";
import { outcomeOf, type SmokeOutcome } from "./outcome";

/** Beyond the workflow's own time: the connection, and a query for how long it took. */
const OVERHEAD_SECONDS = 30;

/** What came of an order. */
export interface Ordered {
  /** Undefined if none could be started. */
  readonly outcome: SmokeOutcome | undefined;
  /** Whether the client had to be stopped. */
  readonly timedOut: boolean;
  /** The last lines of what the client complained of. */
  readonly complaints: readonly string[];
}

/** How an order is started, and how patiently it is awaited. */
export interface OrderOptions {
  /** Longest wait for the workflow, in seconds. */
  readonly timeoutSeconds: number;
  /** Further arguments of the client. */
  readonly args?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Starts one order with the client of a worker package, and waits for its end.
 *
 * @param group worker group that the order is for
 * @param client path of its `lib/cli/order.js`
 * @param environment how it reaches Temporal and opens payloads; nothing of this shell is added
 */
export async function runOrder(
  group: string,
  client: string,
  environment: Readonly<Record<string, string>>,
  { timeoutSeconds, args = [], signal }: OrderOptions,
): Promise<Ordered> {
  const command = [client, "--json", ...args, "--timeout", String(timeoutSeconds)];
  const { stdout, stderr, timedOut } = await execa(process.execPath, command, {
    // This shell's own TEMPORAL_* variables may mean another server.
    extendEnv: false,
    env: { ...systemCertificates(), ...environment },
    reject: false,
    stdin: "ignore",
    timeout: (timeoutSeconds + OVERHEAD_SECONDS) * 1000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  return { outcome: outcomeOf(group, stdout), timedOut, complaints: lastLines(stderr) };
}
