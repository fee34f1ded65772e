import type { NativeConnection } from "@temporalio/worker";
import type { temporal } from "@temporalio/proto";
import type { OpenWorkflow } from "./report";

export type History = temporal.api.history.v1.IHistory;

/** Deadline of one request, in ms: what the SDK gives its own. */
const REQUEST_DEADLINE_MS = 30_000;
/** Most entries of a page that a server gives by default (`frontend.visibilityMaxPageSize`). */
const PAGE_SIZE = 1000;
/** https://grpc.io/docs/guides/status-codes */
const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof Error && "code" in error && error.code === code;

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** List filter of the workflows that are open on these task queues. */
export function openWorkflowsFilter(taskQueues: readonly string[], query?: string): string {
  const open = `ExecutionStatus = "Running" AND TaskQueue IN (${taskQueues.map(quoted).join(", ")})`;
  return query === undefined ? open : `${open} AND (${query})`;
}

/** The server does not understand the list filter. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** The open workflows of a namespace, and their histories as the server holds them. */
export class OpenWorkflows {
  constructor(
    private readonly connection: NativeConnection,
    private readonly namespace: string,
    private readonly filter: string,
  ) {}

  /**
   * How many there are, as far as the server knows at the moment.
   *
   * @throws QueryError when the server does not understand the filter
   */
  async count(): Promise<number> {
    const { namespace, filter: query } = this;
    try {
      const { count } = await this.request((service) =>
        service.countWorkflowExecutions({ namespace, query }),
      );
      return Number(count);
    } catch (error) {
      if (!hasCode(error, INVALID_ARGUMENT)) throw error;
      throw new QueryError(`the server refuses the query ${query}`, { cause: error });
    }
  }

  /** Latest start first. */
  async *list(): AsyncGenerator<OpenWorkflow> {
    let nextPageToken: Uint8Array | null | undefined;
    do {
      const page = await this.request((service) =>
        service.listWorkflowExecutions({
          namespace: this.namespace,
          query: this.filter,
          pageSize: PAGE_SIZE,
          nextPageToken: nextPageToken ?? null,
        }),
      );
      for (const { execution, type } of page.executions) {
        yield {
          workflowId: execution?.workflowId ?? "",
          runId: execution?.runId ?? "",
          type: type?.name ?? "",
        };
      }
      ({ nextPageToken } = page);
    } while (nextPageToken.length > 0);
  }

  /** Undefined when there is no history any more: the workflow has ended and was deleted. */
  async history({ workflowId, runId }: OpenWorkflow): Promise<History | undefined> {
    const events: temporal.api.history.v1.IHistoryEvent[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    do {
      try {
        const page = await this.request((service) =>
          service.getWorkflowExecutionHistory({
            namespace: this.namespace,
            execution: { workflowId, runId },
            nextPageToken: nextPageToken ?? null,
          }),
        );
        events.push(...(page.history?.events ?? []));
        ({ nextPageToken } = page);
      } catch (error) {
        if (hasCode(error, NOT_FOUND)) return undefined;
        throw error;
      }
    } while (nextPageToken.length > 0);
    return { events };
  }

  private request<T>(call: (service: NativeConnection["workflowService"]) => Promise<T>): Promise<T> {
    const { connection } = this;
    return connection.withDeadline(Date.now() + REQUEST_DEADLINE_MS, () => call(connection.workflowService));
  }
}

/**
 * Whether the next workflow of a list belongs to its sample: spread evenly over the list, hence over start times,
 * and besides the first one of every type.
 *
 * @param total length of the list
 */
export function sampler(size: number, total: number): (workflow: OpenWorkflow) => boolean {
  const types = new Set<string>();
  const due = (position: number): number => Math.ceil((position * size) / Math.max(total, size));
  let position = 0;
  return ({ type }) => {
    const chosen = due(position + 1) > due(position) || !types.has(type);
    position += 1;
    types.add(type);
    return chosen;
  };
}

/** Maps a stream in order, with up to `ahead` calls under way: no more results than that are held at a time. */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const started: Promise<R>[] = [];
  for await (const item of items) {
    const result = map(item);
    // It is awaited in its turn; until then its failure is nobody's.
    result.catch(() => undefined);
    started.push(result);
    if (started.length >= ahead) yield* settled(started.splice(0, 1));
  }
  yield* settled(started);
}

async function* settled<R>(results: readonly Promise<R>[]): AsyncGenerator<R> {
  for (const result of results) yield await result;
}
