import { get } from "node:http";
import { isIPv4 } from "node:net";

/** The SDK's counters of long polls, as the runtime's Prometheus exporter names them. */
const LINE =
  /^temporal_long_request_(total|failure_total|latency_seconds_count)\{([^}]*)\} (\d+(?:\.\d+)?(?:e\+?\d+)?)$/gm;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
/** What a worker asks each of its task queues for. */
const OPERATIONS = ["PollWorkflowTaskQueue", "PollActivityTaskQueue"] as const;
/** How a poll ends that was open for too long; the next one follows at once. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set(["CANCELLED", "DEADLINE_EXCEEDED"]);
const SCRAPE_TIMEOUT_MS = 5000;

/** Polls of one kind on one task queue, counted since the start of the process. */
interface Counts {
  readonly started: number;
  readonly ended: number;
  /** By gRPC status. */
  readonly failures: ReadonlyMap<string, number>;
}

interface Poll {
  readonly operation: string;
  readonly taskQueue: string;
}

/** Every poll of a kind fails. */
export class PollsFail extends Error {
  override readonly name = "PollsFail";

  constructor(
    readonly taskQueue: string,
    operation: string,
    status: string,
  ) {
    super(`${operation} of task queue ${taskQueue} fails with ${status}`);
  }
}

/**
 * Looks whether polls succeed, in the metrics that the SDK publishes: it retries each poll for ever and tells nobody.
 * A frontend that answers everything else may refuse or lose them all the same.
 */
export class Polls {
  private known: ReadonlyMap<string, Counts> = new Map();
  private readonly failing = new Map<string, PollsFail>();

  /** @param scrape reads the process's own metrics page */
  constructor(
    private readonly taskQueues: readonly string[],
    private readonly scrape: () => Promise<string>,
  ) {}

  /**
   * Compares with the look before. Polls fail from the look on that finds failures and no success, until one succeeds
   * or is left open by the server, which is how it waits for tasks.
   *
   * @throws PollsFail when all polls of a kind fail on a task queue; Error when one was not polled yet
   */
  async look(): Promise<void> {
    const counted = readCounts(await this.scrape());
    for (const [key, counts] of counted) this.compare(key, counts);
    this.known = counted;
    for (const failure of this.failing.values()) throw failure;
    for (const taskQueue of this.taskQueues) {
      for (const operation of OPERATIONS) {
        if (!counted.has(keyOf({ operation, taskQueue }))) {
          throw new Error(`task queue ${taskQueue} has not been polled yet (${operation})`);
        }
      }
    }
  }

  private compare(key: string, counts: Counts): void {
    const before = this.known.get(key);
    const failed = [...counts.failures].filter(
      ([status, count]) => !ORDINARY_ENDS.has(status) && count > (before?.failures.get(status) ?? 0),
    );
    const failures = failed.reduce(
      (sum, [status, count]) => sum + count - (before?.failures.get(status) ?? 0),
      0,
    );
    const succeeded = counts.ended - (before?.ended ?? 0) - failures;
    const [worst] = failed.sort(([, one], [, other]) => other - one);
    if (succeeded > 0) this.failing.delete(key);
    else if (worst !== undefined) {
      const { operation, taskQueue } = pollOf(key);
      this.failing.set(key, new PollsFail(taskQueue, operation, worst[0]));
    } else if (counts.started > counts.ended) this.failing.delete(key);
  }
}

const keyOf = ({ operation, taskQueue }: Poll): string => `${operation} ${taskQueue}`;
const pollOf = (key: string): Poll => {
  const space = key.indexOf(" ");
  return { operation: key.slice(0, space), taskQueue: key.slice(space + 1) };
};

function readCounts(page: string): Map<string, Counts> {
  const counts = new Map<string, { started: number; ended: number; failures: Map<string, number> }>();
  for (const [, counter, labelText = "", value] of page.matchAll(LINE)) {
    const labels = new Map([...labelText.matchAll(LABEL)].map(([, name = "", text = ""]) => [name, text]));
    const operation = labels.get("operation") ?? "";
    if (!OPERATIONS.some((poll) => poll === operation)) continue;
    const key = keyOf({ operation, taskQueue: labels.get("task_queue") ?? "" });
    const count = counts.get(key) ?? { started: 0, ended: 0, failures: new Map<string, number>() };
    counts.set(key, count);
    if (counter === "total") count.started += Number(value);
    else if (counter === "failure_total") {
      const status = labels.get("status_code") ?? "UNKNOWN";
      count.failures.set(status, (count.failures.get(status) ?? 0) + Number(value));
    } else count.ended += Number(value);
  }
  return counts;
}

/**
 * Reads the metrics page of this process.
 *
 * @param bindAddress what it listens on, `ip:port`
 */
export function scrapeOwnMetrics(bindAddress: string): Promise<string> {
  const { hostname, port } = new URL(`http://${bindAddress}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return new Promise((resolve, reject) => {
    const request = get(
      {
        host: reachable,
        family: isIPv4(reachable) ? 4 : 6,
        port,
        path: "/metrics",
        timeout: SCRAPE_TIMEOUT_MS,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      },
    );
    request.on("timeout", () => request.destroy(new Error("the process's own metrics do not answer")));
    request.on("error", reject);
  });
}
