import { createServer } from "node:http";
import type { Server } from "node:http";

/** Answer of one check; everything but `ok` is for the reader. */
export interface CheckResult {
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

/** Checks by path, such as `/livez`. They run on each request, so they only look at what is known already. */
export type Checks = Readonly<Record<string, () => CheckResult>>;

function run(check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}

/**
 * Serves the checks over HTTP: 200 when a check holds, 503 when it does not, a JSON body either way.
 *
 * @param port to listen on, on all addresses; 0 takes a free one
 * @throws when the port cannot be had
 */
export function startHealthServer(port: number, checks: Checks): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const check = Object.hasOwn(checks, path) ? checks[path] : undefined;
    if (check === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const result = run(check);
    response.writeHead(result.ok ? 200 : 503, {
      "content-type": "application/json",
      "cache-control": "no-store",
    });
    response.end(request.method === "HEAD" ? undefined : JSON.stringify(result));
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 5000;
  server.maxConnections = 64;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}
