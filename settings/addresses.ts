import { isIP, isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { ifWrongType, integer, refusedKey, rule, text } from "./fields";
import { dnsLabel, labelMap } from "./names";

/*
 * Hosts, ports, URLs and address ranges.
 */

const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Whether a text is a DNS name or an IPv4 address. */
export function isHostName(value: string): boolean {
  const labels = value.split(".");
  if (value.length > 253 || !labels.every((label) => HOST_LABEL.test(label))) return false;
  // Resolvers and URL parsers take a number at the end for an IPv4 address.
  return !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? "") || isIPv4(value);
}

/** A DNS name or IPv4 address. */
export function hostName(what: string) {
  const expected = `${what}: a DNS name of labels with 1 to 63 letters, digits and "-", or an IPv4 address`;
  return text(expected, /^[A-Za-z0-9.-]+$/, 253).refine(isHostName, { error: expected });
}

/** A DNS name in lower case, as an Ingress takes it. */
export function ingressHost(what: string) {
  const expected = `${what}: a DNS name in lower case, no IP address`;
  return text(expected, /^[a-z0-9.-]+$/, 253).refine((value) => isHostName(value) && !isIPv4(value), {
    error: expected,
  });
}

/** Whether a text is a TCP port without leading zeros. */
export function isPort(value: string): boolean {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65535;
}

/** `host:port`, with IPv6 addresses in brackets. */
export function hostPort(what: string) {
  const expected = `${what} as host:port, such as temporal-frontend.temporal.svc:7233`;
  return text(expected, /^\S+$/, 262).refine(isHostPort, { error: expected });
}

function isHostPort(value: string): boolean {
  const colon = value.lastIndexOf(":");
  const host = value.slice(0, Math.max(colon, 0));
  const [, bracketed] = /^\[([^\]%]+)\]$/.exec(host) ?? [];
  return isPort(value.slice(colon + 1)) && (bracketed === undefined ? isHostName(host) : isIPv6(bracketed));
}

/** Port of a `host:port` text. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** Whether a text is a URL whose host resolvers take, and of one of the schemes. */
export function isUrl(value: string, schemes: readonly string[]): boolean {
  if (!/^[!-~]+$/.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return schemes.includes(protocol.slice(0, -1)) && (hostname.startsWith("[") || isHostName(hostname));
}

/**
 * A URL of one of the schemes; `what` says it in words. User name and password in it are refused: what is no secret
 * setting ends in the state, in labels and in messages.
 */
export function url(what: string, schemes: readonly [string, ...string[]], pattern = /^\S+$/) {
  return text(what, pattern, 2048)
    .refine((value) => !hasLogin(value), {
      error: `${what}, without user name and password: they would be readable for everybody`,
      abort: true,
    })
    .refine((value) => isUrl(value, schemes), { error: what });
}

/** Whether a URL names a user, as `https://user:password@host` does. */
export function hasLogin(address: string): boolean {
  return (
    /^[\w+.-]+:\/\/[^/?#\\]*@/.test(address) || (URL.canParse(address) && new URL(address).username !== "")
  );
}

/** Scheme of a URL, in lower case; undefined for what is none, which another problem names. */
export function schemeOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).protocol.slice(0, -1) : undefined;
}

/** Takes user names and passwords out of a text that may hold URLs. */
export function withoutLogins(text: string): string {
  return text
    .replace(/(\w:\/\/)[^\s/?#"']*@/g, "$1...@")
    .replace(/[^\s/:@"'(]+:[^\s/@"']+@(?!sha256:)/g, "...@");
}

/** Port of an HTTP URL. */
export function portOfUrl(address: string): number {
  const { port, protocol } = new URL(address);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** Shortest prefix of a range that still names somebody: a private network is 10.0.0.0/8. */
export const SHORTEST_PREFIX = 8;

const RANGE = "an address range, such as 10.0.0.0/8 or fd00::/8";
const NO_NAMES =
  "NetworkPolicies enforce addresses, not host names; list in cidrs every address range that the host can have, or name an egress proxy in this cluster by namespace and podLabels and send the traffic through it";

/** Address and length of a network, IPv4 or IPv6. */
export const cidr = z.string({ error: RANGE }).check(({ value, issues }) => {
  const problem = rangeProblem(value);
  if (problem !== undefined) issues.push({ ...problem, input: value });
});

function rangeProblem(value: string) {
  if (isIP(value) !== 0) {
    return rule(`is an address; write it as the range ${value}/${value.includes(":") ? 128 : 32}`, []);
  }
  const network = networkOf(value);
  if (network === undefined) {
    return isHostName(value)
      ? rule(`names a host, but ${NO_NAMES}`, [])
      : { code: "custom" as const, message: RANGE };
  }
  if (!network.hostBits) return undefined;
  const message = "an address range whose bits after the prefix are all zero: 10.1.0.0/16, not 10.1.2.3/16";
  return { code: "custom" as const, message };
}

/** Reads a range as the API server does: no zone, no leading zeros, no IPv4 address within IPv6. */
function networkOf(value: string): { hostBits: boolean } | undefined {
  const [, address = "", digits = ""] = /^([0-9A-Fa-f.:]+)\/(0|[1-9]\d{0,2})$/.exec(value) ?? [];
  const length = Number(digits);
  const bits = isIPv4(address) ? bitsOfIPv4(address) : bitsOfIPv6(address);
  if (bits === undefined || length > bits.length) return undefined;
  return { hostBits: bits.slice(length).includes("1") };
}

function bitsOfIPv4(address: string): string {
  return address
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
}

function bitsOfIPv6(address: string): string | undefined {
  if (!isIPv6(address) || address.includes(".")) return undefined;
  const [left = "", right] = address.split("::");
  const groups = (half: string) => (half === "" ? [] : half.split(":"));
  const [head, tail] = [groups(left), groups(right ?? "")];
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  const bits = [...head, ...zeros, ...tail]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
  return bits.startsWith(`${"0".repeat(80)}${"1".repeat(16)}`) ? undefined : bits;
}

/** A list of address ranges. */
export function cidrs() {
  return z
    .array(cidr, { error: "a list of address ranges" })
    .min(1, { error: "a list of at least one address range" });
}

/** TCP or UDP ports, as the pods have them. */
export function ports() {
  return z
    .array(integer("port", 1, 65535), { error: "a list of ports" })
    .min(1, { error: "a list of at least one port" });
}

/** Fields of every peer: either pods, or addresses. */
export function peerFields(who: string) {
  return {
    namespace: dnsLabel("a namespace name")
      .optional()
      .describe(`Kubernetes namespace of the pods of ${who}, if in the same cluster.`),
    podLabels: labelMap(`labels of the pods of ${who}`)
      .optional()
      .describe("Labels of those pods; every pod of the namespace by default."),
    cidrs: cidrs()
      .optional()
      .describe(
        `Address ranges of ${who}, if elsewhere or on the nodes' own network; instead of \`namespace\`.`,
      ),
    host: refusedKey(NO_NAMES),
  };
}

const PEER = "a mapping with namespace or cidrs";

interface PeerProblems {
  readonly value: {
    readonly namespace?: string | undefined;
    readonly podLabels?: object | undefined;
    readonly cidrs?: readonly string[] | undefined;
    readonly host?: unknown;
  };
  readonly issues: { push: (issue: ReturnType<typeof rule>) => unknown };
}

/** A peer is pods or addresses, and labels are of pods. */
export function oneKindOf(who: string) {
  return ({ value, issues }: PeerProblems) => {
    const isOne = (value.namespace === undefined) !== (value.cidrs === undefined);
    if (!isOne && value.host === undefined) {
      issues.push(rule(`NetworkPolicies need the way to ${who}; set exactly one of namespace and cidrs`, []));
    }
    if (value.podLabels !== undefined && value.namespace === undefined) {
      issues.push(
        rule("selects pods of namespace, which is not set; set it or remove podLabels", ["podLabels"]),
      );
    }
  };
}

/** Who may connect to a port of the stack; `who` names it. */
export function peer(who: string) {
  return z.strictObject(peerFields(who), ifWrongType(PEER)).check(oneKindOf(who));
}

/**
 * What is wrong with the ranges of a door: one that lets everybody in.
 * @param path of the peer, relative to what is checked
 */
export function doorProblems(
  { cidrs = [] }: { readonly cidrs?: readonly string[] | undefined },
  who: string,
  path: readonly (string | number)[],
) {
  return cidrs.flatMap((range, place) =>
    Number(range.split("/")[1]) >= SHORTEST_PREFIX
      ? []
      : [
          rule(`${range} lets everybody in; list the ranges of ${who}, /${SHORTEST_PREFIX} or longer`, [
            ...path,
            "cidrs",
            place,
          ]),
        ],
  );
}

/** Fields of a peer with its ports. */
export function portedPeerFields(who: string) {
  return {
    ...peerFields(who),
    ports: ports().describe(
      `Ports of ${who}. NetworkPolicies see a pod's own port (\`targetPort\`), not that of its Service.`,
    ),
  };
}

/** To whom the stack may connect, on which ports; `who` names it. */
export function portedPeer(who: string) {
  return z.strictObject(portedPeerFields(who), ifWrongType(PEER)).check(oneKindOf(who));
}

/** Where a server is whose port another setting names; `who` names it. */
export function peerNetwork(who: string) {
  return z
    .strictObject(
      {
        ...peerFields(who),
        podPort: integer("port", 1, 65535)
          .optional()
          .describe("Port of the pods, if their Service maps it; the address's port by default."),
      },
      ifWrongType(PEER),
    )
    .check(oneKindOf(who));
}

/** Pods of a namespace, or addresses. */
export type Peer = z.output<ReturnType<typeof peer>>;
/** The same with ports. */
export type PortedPeer = z.output<ReturnType<typeof portedPeer>>;
/** Where a server is that this program does not run. */
export type PeerNetwork = z.output<ReturnType<typeof peerNetwork>>;
