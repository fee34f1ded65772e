import { accessSync, constants } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";

/** Setting that must be there. */
export const required = (meaning: string): z.ZodString => z.string({ error: `is required: ${meaning}` });

function parsed<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `expected ${expected}, got "${text}"` });
    return z.NEVER;
  });
}

const integerWithin =
  (min: number, max: number) =>
  (text: string): number | undefined => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };

const integerField = (min: number, max: number) =>
  parsed(integerWithin(min, max), `an integer from ${min} to ${max}`);

/** Integer in plain decimal digits, within a range. */
export const integer = (range: { min: number; max: number; fallback: number }) =>
  integerField(range.min, range.max).default(range.fallback);

/** The same for a setting whose default is found out at run time. */
export const optionalInteger = (range: { min: number; max: number }) =>
  integerField(range.min, range.max).optional();

/** How many polls a worker keeps open: a fixed number, or as many as the server's hints ask for. */
export const pollers = (min: number) =>
  parsed(
    (text): "auto" | number | undefined => (text === "auto" ? text : integerWithin(min, 1000)(text)),
    `auto, or an integer from ${min} to 1000`,
  ).default("auto");

const MAX_TASK_QUEUES = 20;

/** Names of task queues, separated by commas, in the order given. */
export const taskQueues = required("the task queues to poll, separated by commas").transform(
  (text, context): readonly [string, ...string[]] => {
    const [first = "", ...others] = text.split(",").map((name) => name.trim());
    const names = [first, ...others];
    const complain = (message: string): void => context.addIssue({ code: "custom", message });
    if (names.some((name) => name === "" || name.length > 1000)) {
      complain(`expected names of 1 to 1000 characters, separated by commas, got "${text}"`);
    }
    if (names.length > MAX_TASK_QUEUES) complain(`expected at most ${MAX_TASK_QUEUES} names`);
    for (const name of new Set(names.filter((it, index) => names.indexOf(it) !== index))) {
      complain(`names "${name}" twice`);
    }
    return [first, ...others];
  },
);

/**
 * `true` or `false`, nothing else. Temporal's own loader takes `True` or `yes` for false, and then sends an API key
 * in the clear.
 */
export const flag = parsed(
  (text) => ({ true: true, "1": true, false: false, "0": false })[text],
  "true or false",
);

/** Share from 0 to 1. */
export function share(fallback: number) {
  return parsed((text) => {
    const value = /^(0|1|[01]?\.\d{1,9})$/.test(text) ? Number(text) : Number.NaN;
    return value <= 1 ? value : undefined;
  }, "a number from 0 to 1").default(fallback);
}

/** Address of an HTTP service. */
export const httpUrl = z.url({
  protocol: /^https?$/,
  error: "expected a URL, such as http://collector:4318",
});

/** HTTP headers as OpenTelemetry writes them. They hold credentials, so no message shows them. */
export const headerList = z.string().regex(/^[!#$%&'*+.^`|~\w-]+=[^,]*(,\s*[!#$%&'*+.^`|~\w-]+=[^,]*)*$/, {
  error: "expected name=value,name=value with values percent-encoded",
});

const port = (text: string): number | undefined => {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 65_535 ? value : undefined;
};

/** Splits `host:port`, also with an IPv6 address in brackets. */
function splitHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:@[\]]+)):(\d+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const number = port(match?.[3] ?? "");
  return host === undefined || number === undefined ? undefined : { host, port: number };
}

/** Address of a server: `host:port`, no scheme. */
export const hostPort = required("the Temporal frontend as host:port").refine(
  (text) => splitHostPort(text) !== undefined,
  { error: "expected host:port without a scheme, such as temporal-frontend.temporal.svc:7233" },
);

/** An HTTP proxy that takes CONNECT. The SDK sends a login to it in the clear, so there is none. */
export const proxyAddress = z.string().refine((text) => splitHostPort(text) !== undefined, {
  error: "expected host:port of an HTTP proxy without scheme and login, such as proxy.example.com:3128",
});

/** Address to listen on: `ip:port`. The SDK takes no host name and no bare port here. */
export const bindAddress = parsed((text) => {
  const address = splitHostPort(text);
  return address !== undefined && isIP(address.host) !== 0 ? { text, port: address.port } : undefined;
}, "ip:port, such as 0.0.0.0:9464").default({ text: "0.0.0.0:9464", port: 9464 });

/** Path of a file that this process can read now. Its content is read on each connect, so that it can rotate. */
export const readableFile = z.string().transform((path, context) => {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    context.addIssue({ code: "custom", message: `${path} cannot be read` });
  }
  return path;
});
