import { isIP } from "node:net";
import { z } from "zod";
import { bytesOf, canonicalCpu, canonicalMemory, millicoresOf } from "./quantity";

/*
 * Building blocks of the schema. The error text of every field is what is expected, in words that fit
 * after "expected"; problems.ts adds the key, what was found and what to do.
 */

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const LABEL_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const HOST_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):([1-9]\d{0,4})$/;
const IMAGE_REPOSITORY =
  /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9]\d{0,4})?(\/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$/;

/** A text matching `pattern`; `expected` says it in words. */
export function text(expected: string, pattern: RegExp, maxLength = 1000) {
  return z
    .string({ error: expected })
    .max(maxLength, { error: expected, abort: true })
    .regex(pattern, { error: expected });
}

/** A whole number in a closed range; `what` names it with its unit. */
export function wholeNumber(what: string, minimum: number, maximum: number) {
  const error = `${what}: a whole number from ${String(minimum)} to ${String(maximum)}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: "true or false" });
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.map((word) => `"${word}"`).join(", ")}` });
}

/** A name that Kubernetes takes as an RFC 1123 label. */
export function dnsLabel(what: string, maxLength = 63) {
  return text(
    `${what}: lower-case letters, digits and "-", beginning and ending with a letter or digit, at most ${String(maxLength)} characters`,
    DNS_LABEL,
    maxLength,
  );
}

/** Memory or storage. */
export function memory(what: string) {
  const expected = `${what} as a Kubernetes quantity in quotes or plain, like 256Mi or 2Gi`;
  return z.string({ error: expected }).refine((value) => isCanonical(value, bytesOf, canonicalMemory), {
    error: (issue) => spelling(issue.input, bytesOf, canonicalMemory) ?? expected,
  });
}

/** CPU time. */
export function cpu(what: string) {
  const expected = `${what} as a Kubernetes quantity, like 250m or "2" (whole cores in quotes)`;
  return z.string({ error: expected }).refine((value) => isCanonical(value, millicoresOf, canonicalCpu), {
    error: (issue) => spelling(issue.input, millicoresOf, canonicalCpu) ?? expected,
  });
}

type Measure = (text: string) => number | undefined;
type Spell = (amount: number) => string;

function isCanonical(value: string, measure: Measure, spell: Spell): boolean {
  const amount = measure(value);
  return amount !== undefined && spell(amount) === value;
}

function spelling(input: unknown, measure: Measure, spell: Spell): string | undefined {
  const amount = typeof input === "string" ? measure(input) : undefined;
  return amount === undefined ? undefined : `the spelling that Kubernetes keeps, ${spell(amount)}`;
}

/** An image repository without tag or digest. */
export function imageRepository(what: string) {
  return text(`${what} without tag or digest, like registry.example.com/team/name`, IMAGE_REPOSITORY, 255);
}

/** An image by tag or digest; never a bare name, which would mean `latest`. */
export function imageReference(what: string) {
  return text(
    `${what} with a tag other than latest or with a digest, like node:24-slim or name@sha256:...`,
    /^[a-z0-9][a-z0-9._/-]*(:[1-9]\d{0,4}\/[a-z0-9._/-]+)?((:(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127})(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
    512,
  );
}

/** `host:port`, with IPv6 addresses in brackets. */
export function hostPort(what: string) {
  const expected = `${what} as host:port with a port up to 65535, like temporal-frontend.temporal.svc:7233`;
  return text(expected, HOST_PORT, 262).refine((value) => portOf(value) <= 65535, { error: expected });
}

/** Port of a `host:port` text. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** An image whose tag begins with its version, `1.31.2`; a digest may follow. */
export function versionedImage(what: string) {
  const expected = `${what} whose tag begins with its version, like name:1.31.2 or name:1.31.2@sha256:...`;
  return text(
    expected,
    /^[a-z0-9][a-z0-9._/-]*(:[1-9]\d{0,4}\/[a-z0-9._/-]+)?:\d+\.\d+[A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$/,
    512,
  );
}

/** Port of an HTTP URL. */
export function portOfUrl(url: string): number {
  const { port, protocol } = new URL(url);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** Address and length of a network, IPv4 or IPv6. */
export const cidr = z
  .string({ error: "an address range like 10.0.0.0/8" })
  .refine(isCidr, { error: "an address range like 10.0.0.0/8 or fd00::/8" });

function isCidr(value: string): boolean {
  const [, address, length] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const family = isIP(address ?? "");
  return family !== 0 && Number(length) <= (family === 4 ? 32 : 128);
}

/** Name of a Temporal namespace. */
export const temporalNamespace = text(
  'a Temporal namespace: letters, digits, ".", "_", "-", beginning with a letter or digit, at most 255 characters',
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  255,
);

/** Custom search attributes: their types by name. */
export function searchAttributes() {
  return z.record(
    text("a search attribute name: a letter, then letters, digits, _", /^[A-Za-z]\w*$/, 64),
    oneOf(["Bool", "Datetime", "Double", "Int", "Keyword", "KeywordList", "Text"]),
    { error: (issue) => (issue.code === "invalid_type" ? "a mapping of names to types" : undefined) },
  );
}

/** Where a server is that this program does not run, for NetworkPolicies; `who` names it. */
export function peerNetwork(who: string) {
  return z
    .strictObject(
      {
        namespace: dnsLabel("a namespace name")
          .optional()
          .describe(`Kubernetes namespace of ${who}, if it runs in the same cluster.`),
        podLabels: labelMap(`labels of the pods of ${who}`)
          .optional()
          .describe(`Labels that narrow the namespace down to the pods of ${who}.`),
        cidrs: z
          .array(cidr, { error: "a list of address ranges" })
          .min(1, { error: "a list of at least one address range" })
          .optional()
          .describe(`Address ranges of ${who}, if it runs elsewhere.`),
        podPort: wholeNumber("a port", 1, 65535)
          .optional()
          .describe("Port of the pods, if their Service maps it; the address's port by default."),
      },
      { error: (issue) => (issue.code === "invalid_type" ? "a mapping with namespace or cidrs" : undefined) },
    )
    .check(({ value, issues }) => {
      if ((value.namespace === undefined) === (value.cidrs === undefined)) {
        issues.push(
          rule(`NetworkPolicies must know the way to ${who}; set exactly one of namespace and cidrs`, []),
        );
      }
      if (value.podLabels !== undefined && value.namespace === undefined) {
        issues.push(
          rule("narrows network.namespace, which is not set; set it or remove podLabels", ["podLabels"]),
        );
      }
    });
}

/** Where a server is that this program does not run. */
export type PeerNetwork = z.output<ReturnType<typeof peerNetwork>>;

/** Labels by key. */
export function labelMap(what: string) {
  const expected = `${what}: a mapping of Kubernetes label names to texts of at most 63 letters, digits, ".", "_", "-"`;
  const key = z.string().refine(isLabelKey, { error: expected });
  return z.record(key, text('a label value: at most 63 letters, digits, ".", "_", "-"', LABEL_VALUE, 63), {
    error: (issue) => (issue.code === "invalid_type" ? expected : undefined),
  });
}

function isLabelKey(key: string): boolean {
  const slash = key.lastIndexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  return (
    LABEL_NAME.test(key.slice(slash + 1)) &&
    (prefix === undefined || (prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix)))
  );
}

/**
 * Marks a problem whose message is a whole sentence instead of an expectation: a rule between fields.
 * @param path where, relative to the object that is checked
 */
export function rule(message: string, path: (string | number)[], input?: unknown) {
  return { code: "custom" as const, message, path, input, params: { sentence: true } };
}
