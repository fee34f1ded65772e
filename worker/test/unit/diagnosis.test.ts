import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { diagnose } from "../../src/diagnosis";
import { PollsFail } from "../../src/polls";

/** Self-signed, of a key that nobody kept. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBODCB66ADAgECAhQvX2HIGKLqGl4ngFeEfUmUAFP7ITAFBgMrZXAwETEPMA0G
A1UEAwwGY2xpZW50MCAXDTI2MTEyOTA2MjMyNloYDzIxMjYxMTA1MDYyMzI2WjAR
MQ8wDQYDVQQDDAZjbGllbnQwKjAFBgMrZXADIQD/P+KolVUiS8fEuXYDm6uiVGQq
0x9QhQvP9cAkSph2QKNTMFEwHQYDVR0OBBYEFHloEz1osP7o3dSwh/0+WW1lq3CK
MB8GA1UdIwQYMBaAFHloEz1osP7o3dSwh/0+WW1lq3CKMA8GA1UdEwEB/wQFMAMB
Af8wBQYDK2VwA0EAE2tx5P+INQxAKPPk2KukFizccIYmzdu7ElaUroL0mxLCS+Gn
JcXpu6xW0lFbi78SWmDsO3UTp4xqXtvUpL1MBA==
-----END CERTIFICATE-----
`;

describe("diagnosis of a connection", () => {
  const timeout = (address: string): string => {
    const connection = { address, apiKey: undefined, tls: undefined, compression: "none" as const };
    return diagnose(new Error("no connection within 5 s"), { connection, namespace: "shop" }).message;
  };

  it("names DNS, too, when nothing answers in time, unless the address needs none", () => {
    assert.match(
      timeout("temporal-frontend.temporal.svc:7233"),
      /DNS may not answer for its name, or a firewall/,
    );
    for (const address of ["192.0.2.1:7233", "[2001:db8::1]:7233"]) {
      assert.match(timeout(address), /does not answer in time: a firewall/);
      assert.doesNotMatch(timeout(address), /DNS/);
    }
  });

  const tls = { serverName: undefined, serverCaPath: undefined, client: undefined };
  const client = { certPath: "/tls/tls.crt", keyPath: "/tls/tls.key" };
  type Connection = Parameters<typeof diagnose>[1]["connection"];
  const plain: Connection = {
    address: "temporal:7233",
    apiKey: undefined,
    tls: undefined,
    compression: "none",
  };
  const withCa = { ...plain, tls: { ...tls, serverCaPath: "/tls/ca.crt" } };
  const withClient = { ...plain, tls: { ...tls, client } };
  const grpc = (code: number) => Object.assign(new Error("no words"), { code });
  const cases: readonly [what: unknown, connection: Connection, kind: string, says: RegExp][] = [
    [
      "ConnectError(InvalidCertificate(Expired))",
      plain,
      "server-certificate",
      /^the server's certificate is not valid at/,
    ],
    [
      "ConnectError(InvalidCertificate(NotValidYet))",
      plain,
      "server-certificate",
      /correct this machine's clock$/,
    ],
    [
      String.raw`ConnectError InvalidCertificate(NotValidForNameContext { expected: DnsName("a"), presented: ["DnsName(\"b\")", "IpAddress(\"192.0.2.1\")"] })`,
      plain,
      "server-certificate",
      /is not for temporal:7233 but for b, 192\.0\.2\.1: set TEMPORAL_TLS_SERVER_NAME/,
    ],
    [
      "ConnectError InvalidCertificate(NotValidForName)",
      { ...plain, tls: { ...tls, serverName: "other" } },
      "server-certificate",
      /is not for other: set/,
    ],
    [
      "ConnectError InvalidCertificate(UnknownIssuer)",
      plain,
      "server-certificate",
      /set TEMPORAL_TLS_SERVER_CA_CERT_PATH$/,
    ],
    [
      "ConnectError InvalidCertificate(UnknownIssuer)",
      { ...plain, tls },
      "server-certificate",
      /that this system trusts/,
    ],
    [
      "ConnectError InvalidCertificate(UnknownIssuer)",
      withCa,
      "server-certificate",
      /the authority in \/tls\/ca\.crt/,
    ],
    [
      "PrivateKeyParseError",
      withClient,
      "client-certificate",
      /^\/tls\/tls\.crt and \/tls\/tls\.key are not a usable/,
    ],
    ["InconsistentKeys", plain, "client-certificate", /not a usable certificate/],
    [
      "received fatal alert: CertificateRequired",
      { ...plain, tls },
      "client-certificate",
      /wants a client certificate/,
    ],
    [
      "received fatal alert",
      withClient,
      "client-certificate",
      /refuses the client certificate \/tls\/tls\.crt: it may/,
    ],
    ["InvalidContentType", { ...plain, tls }, "no-tls", /^temporal:7233 does not speak TLS/],
    [grpc(16), plain, "api-key", /^the server wants an API key/],
    [grpc(16), { ...plain, apiKey: { path: "/key" } }, "api-key", /^the server refuses the API key/],
    [grpc(7), plain, "permission", /does not let it use namespace shop/],
    [grpc(5), plain, "namespace", /^the server has no namespace shop/],
    [grpc(4), plain, "timeout", /does not answer in time/],
    [grpc(14), plain, "unavailable", /^Temporal at temporal:7233 is not available$/],
    ["Status { code: NotFound, message }", plain, "namespace", /no namespace shop/],
    ["Status { code: PermissionDenied }", plain, "permission", /grant that$/],
    ["dns error: no record", plain, "dns", /^the host of temporal:7233 has no address/],
    ["ConnectionRefused", plain, "refused", /^nothing listens at temporal:7233/],
    ["BrokenPipe", plain, "closed", /it may want TLS \(TEMPORAL_TLS=true\)/],
    ["ConnectionReset", { ...plain, tls }, "closed", /it may want a client certificate/],
    ["UnexpectedEof", withClient, "closed", /it may refuse the client certificate \/tls\/tls\.crt$/],
    ["transport error", plain, "unavailable", /is not available/],
    ["ENOENT: /key", plain, "files", /^a file for the connection cannot be used: Error: ENOENT: \/key$/],
    ["something else", plain, "unknown", /^Error: something else$/],
  ];
  for (const [what, connection, kind, says] of cases) {
    it(`says what ${what instanceof Error ? `code ${"code" in what ? String(what.code) : ""}` : String(what)} means: ${says.source}`, () => {
      const found = diagnose(typeof what === "string" ? new Error(what) : what, {
        connection,
        namespace: "shop",
      });
      assert.equal(found.kind, kind);
      assert.match(found.message, says);
    });
  }

  it("says until when a client certificate is valid that the server refuses", () => {
    const certPath = join(mkdtempSync(join(tmpdir(), "diagnosis-")), "tls.crt");
    writeFileSync(certPath, CERTIFICATE);
    const connection = { ...plain, tls: { ...tls, client: { ...client, certPath } } };
    const { message } = diagnose(new Error("received fatal alert"), { connection, namespace: "shop" });
    rmSync(dirname(certPath), { recursive: true });
    assert.match(message, /tls\.crt, valid until \w+ +\d+ [\d:]+ \d{4} GMT: it may/);
  });

  it("names the task queue whose polls fail", () => {
    const error = new PollsFail("orders", "PollWorkflowTaskQueue", "PERMISSION_DENIED");
    const { kind, message } = diagnose(error, { connection: plain, namespace: "shop" });
    assert.equal(kind, "permission");
    assert.match(message, /^polls of task queue orders fail: the server knows/);
  });
});
