import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ClientConfig } from "./config";
import { causeChain } from "./errors";
import { PollsFail } from "./polls";

/** What is wrong between this process and Temporal, and what to do about it. */
export interface Diagnosis {
  readonly kind: Kind;
  readonly message: string;
}

type Kind =
  | "server-certificate"
  | "client-certificate"
  | "api-key"
  | "permission"
  | "namespace"
  | "no-tls"
  | "closed"
  | "refused"
  | "dns"
  | "timeout"
  | "unavailable"
  | "files"
  | "unknown";

type Target = Pick<ClientConfig, "connection" | "namespace">;

/** What the SDK says, in the words of its TLS and gRPC libraries, and what that means here; the first match counts. */
const SYMPTOMS: readonly (readonly [Kind, RegExp, (target: Target, text: string) => string])[] = [
  [
    "server-certificate",
    /ConnectError.*InvalidCertificate\(Expired|ConnectError.*InvalidCertificate\(NotValidYet/,
    () =>
      "the server's certificate is not valid at this time: have it renewed, or correct this machine's clock",
  ],
  [
    "server-certificate",
    /ConnectError.*InvalidCertificate\(NotValidForName/,
    ({ connection }, text) =>
      `the server's certificate is not for ${connection.tls?.serverName ?? connection.address}${presentedNames(text)}: set TEMPORAL_TLS_SERVER_NAME to a name that is in it`,
  ],
  [
    "server-certificate",
    /ConnectError.*InvalidCertificate/,
    ({ connection }) =>
      connection.tls?.serverCaPath === undefined
        ? "the server's certificate is not signed by an authority that this system trusts: set TEMPORAL_TLS_SERVER_CA_CERT_PATH"
        : `the server's certificate is not signed by the authority in ${connection.tls.serverCaPath}: put the right one there`,
  ],
  [
    "client-certificate",
    /InvalidCertificate|PrivateKeyParseError|CertificateParseError|InconsistentKeys/,
    ({ connection }) => {
      const { certPath = "", keyPath = "" } = connection.tls?.client ?? {};
      return `${certPath} and ${keyPath} are not a usable certificate (X.509 v3, PEM) with its key`;
    },
  ],
  [
    "client-certificate",
    /received fatal alert/,
    ({ connection }) =>
      connection.tls?.client === undefined
        ? "the server wants a client certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"
        : `the server refuses the client certificate ${connection.tls.client.certPath}${validity(connection.tls.client.certPath)}: it may be signed by the wrong authority`,
  ],
  [
    "no-tls",
    /InvalidContentType/,
    ({ connection }) =>
      `${connection.address} does not speak TLS: correct the port, or set TEMPORAL_TLS=false if that is meant`,
  ],
  [
    "api-key",
    /does not have valid authentication credentials|UNAUTHENTICATED/,
    ({ connection }) =>
      connection.apiKey === undefined
        ? "the server wants an API key: set TEMPORAL_API_KEY_PATH"
        : "the server refuses the API key, which is wrong, revoked or expired: replace it",
  ],
  [
    "permission",
    /does not have permission|PERMISSION_DENIED/,
    ({ namespace }) =>
      `the server knows this client, but does not let it use namespace ${namespace}: grant that`,
  ],
  [
    "namespace",
    /NOT_FOUND/,
    ({ namespace }) => `the server has no namespace ${namespace}: correct TEMPORAL_NAMESPACE, or create it`,
  ],
  [
    "dns",
    /dns error/,
    ({ connection }) => `the host of ${connection.address} has no address: correct TEMPORAL_ADDRESS`,
  ],
  [
    "refused",
    /ConnectionRefused/,
    ({ connection }) =>
      `nothing listens at ${connection.address}: is Temporal running, and TEMPORAL_ADDRESS right?`,
  ],
  [
    "closed",
    /BrokenPipe|ConnectionReset|UnexpectedEof|connection closed/,
    ({ connection }) => {
      const { address, tls } = connection;
      if (tls === undefined) return `${address} closes the connection: it may want TLS (TEMPORAL_TLS=true)`;
      return tls.client === undefined
        ? `${address} closes the connection: it may want a client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH)`
        : `${address} closes the connection: it may refuse the client certificate ${tls.client.certPath}${validity(tls.client.certPath)}`;
    },
  ],
  [
    "timeout",
    /no connection within|DEADLINE_EXCEEDED|Timeout expired|timed out/i,
    // A name server that is silent outlasts the attempt: the SDK then knows of no DNS error.
    ({ connection }) =>
      isIP(hostOf(connection.address)) === 0
        ? `${connection.address} does not answer in time: DNS may not answer for its name, or a firewall or NetworkPolicy may drop the packets`
        : `${connection.address} does not answer in time: a firewall or NetworkPolicy may drop the packets`,
  ],
  [
    "unavailable",
    /currently unavailable|UNAVAILABLE|tcp connect error|transport error/,
    ({ connection }) => `Temporal at ${connection.address} is not available`,
  ],
  [
    "files",
    /ENOENT|EACCES|TEMPORAL_API_KEY_PATH/,
    (_, text) => `a file for the connection cannot be used: ${text}`,
  ],
];

/** The host of `host:port`; an IPv6 address stands in brackets. */
const hostOf = (address: string): string => address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

/** Names in the certificate, from the SDK's `presented: ["DnsName(\"a\")"]`. */
function presentedNames(text: string): string {
  const names = [...text.matchAll(/(?:DnsName|IpAddress)\(\\*"([^"\\]+)/g)].map((match) => match[1]).slice(1);
  return names.length === 0 ? "" : ` but for ${names.join(", ")}`;
}

function validity(certPath: string): string {
  try {
    return `, valid until ${new X509Certificate(readFileSync(certPath)).validTo}`;
  } catch {
    return "";
  }
}

/** gRPC errors carry their code as a number, or in the text of the core: `Status { code: NotFound, ...`. */
const GRPC_CODES: Readonly<Record<number, string>> = {
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  7: "PERMISSION_DENIED",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

function grpcCode(error: unknown, text: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "number") return GRPC_CODES[code] ?? "";
  const [, name = ""] = /\bStatus \{ code: (\w+)/.exec(text) ?? [];
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** Says in one sentence what keeps a process from Temporal. The SDK's own words stay in the error itself. */
export function diagnose(error: unknown, target: Target): Diagnosis {
  const { kind, message } = explain(error, target);
  return error instanceof PollsFail
    ? { kind, message: `polls of task queue ${error.taskQueue} fail: ${message}` }
    : { kind, message };
}

function explain(error: unknown, target: Target): Diagnosis {
  const text = causeChain(error).join(" <- ");
  const symptoms = `${grpcCode(error, text)} ${text}`;
  for (const [kind, pattern, meaning] of SYMPTOMS) {
    if (pattern.test(symptoms)) return { kind, message: meaning(target, text) };
  }
  return { kind: "unknown", message: text };
}
