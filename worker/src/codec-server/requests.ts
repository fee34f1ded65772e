import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { ValueError } from "@temporalio/common";
import type { Payload, PayloadCodec } from "@temporalio/common";
import type { Logger } from "../logger";
import type { Authenticator } from "./authentication";
import { formatPayloads, parsePayloads } from "./proto-json";

/** A gRPC message of Temporal's default limit, 4 MiB, is this long with its payloads in base64. */
export const MAX_BODY_BYTES = 6 * 1024 ** 2;
/** All bodies in hand at once; bounds the memory, as each is held a few times over while it is converted. */
export const MAX_HELD_BYTES = 2 * MAX_BODY_BYTES;
/** JSON values in one body, about nine to a payload: a value takes up to a hundred times its length in memory. */
export const MAX_VALUES = 100_000;
/** Chrome's own upper limit for keeping the answer to a preflight. */
const PREFLIGHT_SECONDS = 7200;
/** Longest part of a header or path that is worth a log line. */
const LOGGED_LENGTH = 200;

/** What the requests need. */
export interface CodecRequestsOptions {
  readonly codec: PayloadCodec;
  readonly authenticator: Authenticator;
  /** The only web origin whose pages may call. */
  readonly uiOrigin: string;
  readonly logger: Logger;
  /** Once aborted, connections end with the answer that is under way. */
  readonly stop: AbortSignal;
}

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** An answer other than the one that was asked for. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Headers = {},
  ) {
    super(message);
  }
}

const text = (status: number, body: string, headers: Headers = {}): Answer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  body: `${body}\n`,
});

const shortened = (value: string | string[] | undefined): string | undefined =>
  value === undefined ? undefined : String(value).slice(0, LOGGED_LENGTH);

/**
 * Temporal's codec server protocol: `POST .../encode` and `.../decode`, payloads as ProtoJSON. Only the last part of
 * the path counts, as the protocol has it. `GET /` answers whoever is let in, so that a browser can ask for the token.
 *
 * Nothing of a body is read before its sender is known, and nothing of it is ever logged.
 */
export function codecRequests(options: CodecRequestsOptions): RequestListener {
  const { authenticator, uiOrigin, logger, stop } = options;
  let heldBytes = 0;

  /** Details for the one log line of each request. */
  type Details = Record<string, unknown>;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    details: Details,
  ): Promise<Answer> {
    const path = pathOf(request);
    const { origin } = request.headers;
    if (origin !== undefined && origin !== uiOrigin) {
      details["origin"] = shortened(origin);
      throw new Refusal(403, "this web origin may not call");
    }
    const endpoint = /(?:^|\/)(encode|decode)$/.exec(path)?.[1];
    if (endpoint === undefined) {
      if (path !== "/") throw new Refusal(404, "expected a path that ends with /encode or /decode");
      allow(["GET"], request);
      details["subject"] = await subjectOf(request, details);
      return text(
        200,
        "You are let in, and so is the Temporal UI in this browser if it includes credentials.",
      );
    }
    if (request.method === "OPTIONS") return { status: 204, headers: PREFLIGHT, body: "" };
    allow(["POST", "OPTIONS"], request);
    details["subject"] = await subjectOf(request, details);
    details["namespace"] = shortened(request.headers["x-namespace"]);
    const body = await bodyOf(request, response);
    return convert(endpoint === "encode" ? "encode" : "decode", body, details);
  }

  async function subjectOf({ headers }: IncomingMessage, details: Details): Promise<string> {
    const verdict = await authenticator.authenticate(headers.authorization).catch((error: unknown) => {
      details["error"] = error;
      throw new Refusal(503, "tokens cannot be verified now", { "retry-after": "5" });
    });
    if ("subject" in verdict) return verdict.subject;
    details["refusal"] = verdict.refusal;
    throw new Refusal(401, "a valid token is needed", { "www-authenticate": authenticator.challenge });
  }

  async function bodyOf(request: IncomingMessage, response: ServerResponse): Promise<string> {
    const { "content-type": type = "", "content-length": length } = request.headers;
    if (!/^application\/json\s*(;|$)/i.test(type)) throw new Refusal(415, "expected application/json");
    if (length === undefined) throw new Refusal(411, "expected a Content-Length");
    const bytes = Number(length);
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `expected at most ${MAX_BODY_BYTES} bytes`);
    if (heldBytes + bytes > MAX_HELD_BYTES)
      throw new Refusal(503, "too much at once", { "retry-after": "1" });
    heldBytes += bytes;
    response.once("close", () => (heldBytes -= bytes));
    const body = await read(request, bytes);
    if (valuesIn(body) > MAX_VALUES) throw new Refusal(413, "expected fewer payloads");
    return body.toString("utf8");
  }

  async function convert(endpoint: "encode" | "decode", body: string, details: Details): Promise<Answer> {
    const payloads = parse(body);
    details["payloadCount"] = payloads.length;
    try {
      const converted = await options.codec[endpoint](payloads);
      return {
        status: 200,
        headers: { "content-type": "application/json" },
        body: formatPayloads(converted),
      };
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      details["refusal"] = error.message;
      throw new Refusal(400, error.message);
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const details: Details = {};
    const { status, headers, body } = await answer(request, response, details).catch((error: unknown) => {
      if (error instanceof Refusal) return text(error.status, error.message, error.headers);
      if (response.destroyed) return text(CLIENT_LEFT, "");
      details["error"] = error;
      return text(500, "internal error");
    });
    if (!response.destroyed) {
      response.writeHead(status, {
        ...COMMON,
        ...(request.headers.origin === uiOrigin ? corsHeaders(uiOrigin) : {}),
        // A refused body is not waited for, and a closing server takes no further request.
        ...(status >= 400 || stop.aborted ? { connection: "close" } : {}),
        ...headers,
      });
      response.end(body);
    }
    const durationMs = Math.round(performance.now() - startedAt);
    const line = { method: request.method, path: shortened(pathOf(request)), status, durationMs, ...details };
    logger[status >= 500 ? "error" : status >= 400 ? "warn" : "info"](line, "request");
  }

  return (request, response) => void respond(request, response);
}

/** The status that web servers log when nobody waits for an answer any more. */
const CLIENT_LEFT = 499;

const COMMON: Headers = { "cache-control": "no-store", "x-content-type-options": "nosniff", vary: "Origin" };

const PREFLIGHT: Headers = {
  "access-control-allow-methods": "POST",
  // The UI sends the last one beside an access token, with the ID token in it.
  "access-control-allow-headers": "Content-Type, X-Namespace, Authorization, Authorization-Extras",
  "access-control-max-age": String(PREFLIGHT_SECONDS),
};

/** Credentials are for a UI with `includeCredentials`: a password, or the cookie of a proxy in front. */
const corsHeaders = (uiOrigin: string): Headers => ({
  "access-control-allow-origin": uiOrigin,
  "access-control-allow-credentials": "true",
});

const pathOf = ({ url }: IncomingMessage): string => (url ?? "/").split("?", 1)[0] ?? "/";

function allow(methods: readonly string[], { method }: IncomingMessage): void {
  if (!methods.includes(method ?? "")) {
    throw new Refusal(405, `expected ${methods.join(" or ")}`, { allow: methods.join(", ") });
  }
}

/** Into one buffer of the length that is known: gathering chunks would hold the body twice. */
async function read(request: IncomingMessage, bytes: number): Promise<Buffer> {
  const body = Buffer.allocUnsafe(bytes);
  let length = 0;
  for await (const chunk of request) length += (chunk as Buffer).copy(body, length);
  return body.subarray(0, length);
}

const VALUE_STARTERS = new Set(Buffer.from("{[,:"));

/** No fewer than there are, as each value but the first follows one of these; base64 has none of them. */
function valuesIn(body: Buffer): number {
  let count = 1;
  for (const byte of body) if (VALUE_STARTERS.has(byte)) count += 1;
  return count;
}

/** The parser's messages may quote what they stumble over, so they go no further. */
function parse(body: string): Payload[] {
  try {
    return parsePayloads(body);
  } catch {
    throw new Refusal(400, 'expected {"payloads": [...]} as ProtoJSON of temporal.api.common.v1.Payloads');
  }
}
