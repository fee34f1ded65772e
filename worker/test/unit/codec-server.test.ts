import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Payload } from "@temporalio/common";
import fc from "fast-check";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { EncryptionCodec } from "../../src/codec/encryption-codec";
import type { Keyring } from "../../src/codec/keyring";
import { KEY_BYTES } from "../../src/codec/keyring";
import { jwtAuthenticator, tokenAuthenticator } from "../../src/codec-server/authentication";
import type { RequiredClaims } from "../../src/codec-server/config";
import { loadCodecServerConfig } from "../../src/codec-server/config";
import { formatPayloads, parsePayloads } from "../../src/codec-server/proto-json";
import { codecRequests, MAX_BODY_BYTES, MAX_HELD_BYTES, MAX_VALUES } from "../../src/codec-server/requests";
import { runCodecServer } from "../../src/codec-server/service";
import { ConfigurationError } from "../../src/config";
import { createLogger } from "../../src/logger";

const UI = "https://temporal.example.com";
const TOKEN = randomBytes(24).toString("base64url");
const SECRET = "4111-1111-1111-1111";

const keyring = (...ids: [string, ...string[]]): Keyring => ({
  activeKeyId: ids[0],
  keys: new Map(ids.map((id) => [id, randomBytes(KEY_BYTES)])),
});
const codec = new EncryptionCodec(keyring("k2", "k1"));
const clear: Payload = {
  metadata: { encoding: Buffer.from("json/plain") },
  data: Buffer.from(JSON.stringify(SECRET)),
};

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Not `fetch`: a browser's rules would forbid some of the headers that have to be tried. */
async function send(
  server: Server,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Reply> {
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({ host: "127.0.0.1", port, method, path, headers });
  // The server may answer and close before it was told everything.
  request.on("error", () => undefined);
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

function memoryLogger(): { log: () => string; createLogger: typeof createLogger } {
  let written = "";
  const write = (line: string): void => void (written += line);
  return { log: () => written, createLogger: (level) => createLogger(level, {}, { write }) };
}

const listening = async (server: Server): Promise<Server> => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
};

describe("codec server", () => {
  const memory = memoryLogger();
  const stop = new AbortController();
  let server: Server;
  before(async () => {
    const authenticator = tokenAuthenticator(TOKEN);
    const logger = memory.createLogger("info");
    server = await listening(
      createServer(codecRequests({ codec, authenticator, uiOrigin: UI, logger, stop: stop.signal })),
    );
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const call = (
    path: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Reply> => {
    const all: Record<string, string | undefined> = {
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-namespace": "shop",
      ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return send(server, "POST", path, given, body);
  };

  it("gives back through /decode what it was given through /encode, whatever the payloads", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ metadata: fc.dictionary(fc.string(), fc.uint8Array()), data: fc.uint8Array() }),
          { maxLength: 4 },
        ),
        async (payloads) => {
          const json = formatPayloads(payloads);
          const encoded = await call("/encode", json);
          assert.equal(encoded.status, 200, encoded.body);
          assert.equal(encoded.headers["content-type"], "application/json");
          const decoded = await call("/decode", encoded.body);
          assert.deepEqual(JSON.parse(decoded.body), JSON.parse(json));
        },
      ),
      { numRuns: 25 },
    ));

  it("reads what any of the keys wrote, and passes what was never encrypted", async () => {
    const [sealed] = await codec.encode([clear]);
    assert.ok(sealed);
    const { status, body } = await call("/decode", formatPayloads([sealed, clear]));
    assert.equal(status, 200);
    assert.deepEqual(body, formatPayloads([clear, clear]));
  });

  it("takes ProtoJSON in every permitted spelling", () => {
    const spelled = parsePayloads(
      '{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg"},"data":"_-8","external_payloads":[{"size_bytes":7}]}]}',
    );
    assert.deepEqual(JSON.parse(formatPayloads(spelled)), {
      payloads: [
        { metadata: { encoding: "anNvbi9wbGFpbg==" }, data: "/+8=", externalPayloads: [{ sizeBytes: "7" }] },
      ],
    });
  });

  it("goes by the end of the path", async () => {
    for (const path of ["/decode", "/shop/decode", "/a/b/decode?x=1"]) {
      assert.equal((await call(path, "{}")).status, 200, path);
    }
    for (const path of ["/", "/decode/", "/undecode", "/decoded"]) {
      assert.ok([404, 405].includes((await call(path, "{}")).status), path);
    }
    const { status, headers } = await send(server, "GET", "/decode");
    assert.deepEqual([status, headers.allow], [405, "POST, OPTIONS"]);
  });

  it("serves nobody without the token, before anything of the body is read", async () => {
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
    const wrong = `${TOKEN.slice(0, -1)}${TOKEN.endsWith("A") ? "B" : "A"}`;
    for (const authorization of [
      undefined,
      "",
      TOKEN,
      "Bearer",
      "Bearer undefined",
      `Bearer ${wrong}`,
      `Bearer ${TOKEN}x`,
      `Token ${TOKEN}`,
      basic(`${TOKEN}:`),
      basic(`me:${wrong}`),
    ]) {
      const { status, headers, body } = await call("/decode", "no JSON", { authorization });
      assert.equal(status, 401, authorization);
      assert.match(headers["www-authenticate"] ?? "", /^Bearer, Basic realm=/);
      assert.ok(!body.includes("JSON"));
    }
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, basic(`me:${TOKEN}`)]) {
      assert.equal((await call("/decode", "{}", { authorization })).status, 200, authorization);
    }
  });

  it("lets a browser ask for the token", async () => {
    assert.equal((await send(server, "GET", "/")).status, 401);
    const authorization = `Basic ${Buffer.from(`any:${TOKEN}`).toString("base64")}`;
    assert.equal((await send(server, "GET", "/", { authorization })).status, 200);
  });

  it("lets pages of the UI call with credentials, and pages of nobody else", async () => {
    const preflight = (origin: string) =>
      send(server, "OPTIONS", "/decode", {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-namespace",
      });
    const { status, headers } = await preflight(UI);
    assert.equal(status, 204);
    assert.equal(headers["access-control-allow-origin"], UI);
    assert.equal(headers["access-control-allow-credentials"], "true");
    assert.equal(headers["access-control-allow-methods"], "POST");
    const allowed = (headers["access-control-allow-headers"] ?? "").toLowerCase().split(", ");
    assert.deepEqual(allowed.sort(), [
      "authorization",
      "authorization-extras",
      "content-type",
      "x-namespace",
    ]);
    const answer = await call("/decode", "{}", { origin: UI });
    assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [200, UI]);
    assert.equal(answer.headers["vary"], "Origin");
    // So that the UI can tell its user what is wrong.
    const refused = await call("/decode", "{}", { origin: UI, authorization: undefined });
    assert.deepEqual([refused.status, refused.headers["access-control-allow-origin"]], [401, UI]);
    for (const origin of [
      "null",
      "https://evil.example",
      `${UI}.evil.example`,
      UI.replace("s:", ":"),
      `${UI}:8443`,
    ]) {
      for (const reply of [await preflight(origin), await call("/decode", "{}", { origin })]) {
        assert.equal(reply.status, 403, origin);
        assert.equal(reply.headers["access-control-allow-origin"], undefined);
      }
    }
  });

  it("bounds what it takes", async () => {
    assert.equal((await call("/decode", "{}", { "content-type": "text/plain" })).status, 415);
    assert.equal(
      (await call("/decode", "{}", { "content-type": "application/json; charset=utf-8" })).status,
      200,
    );
    const chunked = { "content-length": undefined, "transfer-encoding": "chunked" };
    assert.equal((await call("/decode", "{}", chunked)).status, 411);
    const tooLong = await call("/decode", "", { "content-length": String(MAX_BODY_BYTES + 1) });
    assert.deepEqual([tooLong.status, tooLong.headers.connection], [413, "close"]);
    for (const body of [
      "",
      "{",
      "[]",
      '{"payloads":[{"data":"!"}]}',
      '{"payloads":[{"nope":1}]}',
      "[".repeat(1e4),
    ]) {
      assert.equal((await call("/decode", body)).status, 400, body.slice(0, 40));
    }
  });

  it("refuses a body of many small values, which would take a hundred times its length in memory", async () => {
    for (const value of ["{}", "[]", '{"metadata":{"a":""}}', "1"]) {
      const body = `{"payloads":[${Array(MAX_VALUES).fill(value).join(",")}]}`;
      assert.ok(body.length < MAX_BODY_BYTES);
      assert.equal((await call("/decode", body)).status, 413, value);
    }
    const most = formatPayloads(Array<Payload>(10_000).fill(clear));
    assert.equal((await call("/encode", most)).status, 200);
  });

  it("turns away what would not fit its memory, and takes it once there is room again", async () => {
    const { port } = server.address() as AddressInfo;
    const slow = Array.from({ length: MAX_HELD_BYTES / MAX_BODY_BYTES }, () => {
      const headers = {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        "content-length": String(MAX_BODY_BYTES),
      };
      const request = httpRequest({ host: "127.0.0.1", port, method: "POST", path: "/decode", headers });
      request.on("error", () => undefined).write("{");
      return request;
    });
    const until = async (status: number) => {
      for (let tries = 0; tries < 200; tries++) if ((await call("/decode", "{}")).status === status) return;
      assert.fail(`never ${status}`);
    };
    await until(503);
    slow.forEach((request) => request.destroy());
    await until(200);
  });

  it("names an unknown key, and a payload that was altered", async () => {
    const [foreign] = await new EncryptionCodec(keyring("k9")).encode([clear]);
    assert.ok(foreign);
    const unknown = await call("/decode", formatPayloads([foreign]));
    assert.equal(unknown.status, 400);
    assert.match(unknown.body, /unknown encryption key id "k9"/);
    const [sealed] = await codec.encode([clear]);
    const data = Buffer.from(sealed?.data ?? []);
    data.writeUInt8(data.readUInt8(20) ^ 1, 20);
    const altered = await call("/decode", formatPayloads([{ ...sealed, data }]));
    assert.equal(altered.status, 400);
    assert.match(altered.body, /key "k2": cannot be decrypted/);
  });

  it("writes one line for each request, with who and how much, and no payload or token", async () => {
    const before = memory.log().length;
    await call("/encode", formatPayloads([clear, clear]));
    const fresh = memory.log().slice(before).trimEnd().split("\n");
    assert.equal(fresh.length, 1);
    const { time, durationMs, ...line } = JSON.parse(fresh[0] ?? "") as Record<string, unknown>;
    assert.ok(typeof time === "string" && typeof durationMs === "number");
    assert.deepEqual(line, {
      level: "info",
      method: "POST",
      path: "/encode",
      status: 200,
      subject: "token",
      namespace: "shop",
      payloadCount: 2,
      msg: "request",
    });
    const encoded = (value: string) => [value, Buffer.from(value).toString("base64")];
    for (const secret of [...encoded(SECRET), ...encoded(TOKEN), ...encoded(`any:${TOKEN}`)]) {
      assert.ok(!memory.log().includes(secret));
    }
  });
});

describe("codec server with JSON Web Tokens", () => {
  const ISSUER = "https://login.example.com/";
  const AUDIENCE = "temporal-codec";
  const LOGIN = { issuer: ISSUER, audience: AUDIENCE, requiredClaims: {} };
  type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
  let keys: Pair;
  let strangers: Pair;
  let published: object[];
  let issuer: Server;
  let jwksUrl: URL;

  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "ada" };
  const sign = (
    payload: object = claims,
    options: {
      key?: Pair["privateKey"] | Uint8Array;
      alg?: string;
      kid?: string;
      expires?: string | null;
    } = {},
  ): Promise<string> => {
    const { key = keys.privateKey, alg = "ES256", kid = "one", expires = "5m" } = options;
    const token = new SignJWT({ ...payload }).setProtectedHeader({ alg, kid }).setIssuedAt();
    return (expires === null ? token : token.setExpirationTime(expires)).sign(key);
  };
  const jwk = async ({ publicKey }: Pair, kid: string) => ({
    ...(await exportJWK(publicKey)),
    kid,
    alg: "ES256",
  });

  before(async () => {
    [keys, strangers] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
    published = [await jwk(keys, "one")];
    issuer = await listening(
      createServer((_, response) => response.end(JSON.stringify({ keys: published }))),
    );
    jwksUrl = new URL(`http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`);
  });
  after(() => {
    issuer.closeAllConnections();
    issuer.close();
  });

  it("knows who holds a token of the issuer for this audience", async () => {
    const { authenticate } = jwtAuthenticator({ ...LOGIN, jwksUrl });
    assert.deepEqual(await authenticate(`Bearer ${await sign()}`), { subject: "ada" });
    const several = await sign({ ...claims, aud: ["other", AUDIENCE] });
    assert.deepEqual(await authenticate(`Bearer ${several}`), { subject: "ada" });
  });

  it("lets in only who has the required claims, wherever the issuer puts them", async () => {
    const verdict = async (
      requiredClaims: RequiredClaims,
      more: Record<string, unknown>,
    ): Promise<string> => {
      const { authenticate } = jwtAuthenticator({ ...LOGIN, jwksUrl, requiredClaims });
      const result = await authenticate(`Bearer ${await sign({ ...claims, ...more })}`);
      return "subject" in result ? result.subject : result.refusal;
    };
    const refused = (claim: string) => `the token lacks what is required of ${claim}`;
    const groups = { groups: ["admins", "support"] };
    assert.equal(await verdict(groups, { groups: ["staff", "support"] }), "ada");
    assert.equal(await verdict(groups, { groups: "admins" }), "ada");
    for (const held of [{}, { groups: ["staff"] }, { groups: [] }, { groups: { admins: true } }]) {
      assert.equal(await verdict(groups, held), refused("groups"), JSON.stringify(held));
    }
    assert.equal(await verdict({ scope: ["payloads"] }, { scope: "openid payloads" }), "ada");
    assert.equal(await verdict({ scope: ["payloads"] }, { scope: "openid payloadsx" }), refused("scope"));
    assert.equal(await verdict({ name: ["a b"] }, { name: "a b" }), "ada");
    const roles = {
      "realm_access.roles": ["decoder"],
      "https://example.com/team": ["ops"],
      email_verified: ["true"],
    };
    const held = {
      realm_access: { roles: ["decoder"] },
      "https://example.com/team": "ops",
      email_verified: true,
    };
    assert.equal(await verdict(roles, held), "ada");
    assert.equal(
      await verdict(roles, { ...held, realm_access: null, email_verified: false }),
      refused("realm_access.roles, email_verified"),
    );
  });

  it("refuses every other token, and says why without showing it", async () => {
    const { authenticate } = jwtAuthenticator({ ...LOGIN, jwksUrl });
    const publicPem = new TextEncoder().encode(await exportSPKI(keys.publicKey));
    const [header, body, signature] = (await sign()).split(".");
    const other = Buffer.from(JSON.stringify({ ...claims, sub: "eve", exp: 2e10 })).toString("base64url");
    const bad: Record<string, string> = {
      expired: await sign(claims, { expires: "-1m" }),
      "without expiry": await sign(claims, { expires: null }),
      "of another issuer": await sign({ ...claims, iss: `${ISSUER}x` }),
      "for another audience": await sign({ ...claims, aud: "temporal-ui" }),
      "for no audience": await sign({ iss: ISSUER }),
      "from the future": await sign({ ...claims, nbf: Math.floor(Date.now() / 1000) + 600 }),
      "by a stranger": await sign(claims, { key: strangers.privateKey }),
      "by an unpublished key": await sign(claims, { key: strangers.privateKey, kid: "two" }),
      "signed with the public key as a shared secret": await sign(claims, { key: publicPem, alg: "HS256" }),
      "not signed": new UnsecuredJWT(claims).setExpirationTime("5m").encode(),
      "with other claims": `${header ?? ""}.${other}.${signature ?? ""}`,
      "cut off": `${header ?? ""}.${body ?? ""}`,
      opaque: "8xLOxBtZp8",
    };
    for (const [what, token] of Object.entries(bad)) {
      const verdict = await authenticate(`Bearer ${token}`);
      assert.ok("refusal" in verdict, what);
      assert.ok(!verdict.refusal.includes(token.split(".")[1] ?? token), what);
    }
    assert.ok("refusal" in (await authenticate(undefined)));
    assert.ok(
      "refusal" in (await authenticate(`Basic ${Buffer.from(`x:${await sign()}`).toString("base64")}`)),
    );
  });

  it("answers 503, not 401, while the issuer's keys cannot be had", async () => {
    const gone = await listening(createServer());
    const { port } = gone.address() as AddressInfo;
    gone.close();
    const authenticator = jwtAuthenticator({
      ...LOGIN,
      jwksUrl: new URL(`http://127.0.0.1:${port}/jwks`),
    });
    await assert.rejects(authenticator.prepare());
    const memory = memoryLogger();
    const { signal } = new AbortController();
    const server = await listening(
      createServer(
        codecRequests({
          codec,
          authenticator,
          uiOrigin: UI,
          logger: memory.createLogger("info"),
          stop: signal,
        }),
      ),
    );
    const token = await sign();
    const { status } = await send(server, "POST", "/decode", { authorization: `Bearer ${token}` }, "{}");
    server.close();
    assert.equal(status, 503);
    assert.match(memory.log(), /ECONNREFUSED/);
    assert.ok(!memory.log().includes(token));
  });
});

describe("codec server process", () => {
  let folder: string;
  let environment: Record<string, string>;
  const freePort = async (): Promise<number> => {
    const server = await listening(createServer());
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "codec-server-"));
    const keys = mkdtempSync(join(folder, "keys-"));
    writeFileSync(join(keys, "k1"), randomBytes(KEY_BYTES).toString("base64"));
    writeFileSync(join(folder, "token"), `${TOKEN}\n`);
    writeFileSync(join(folder, "short"), "hunter2");
    environment = {
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "k1",
      CODEC_UI_ORIGIN: UI,
      CODEC_AUTH_TOKEN_FILE: join(folder, "token"),
      CODEC_SERVER_PORT: String(await freePort()),
      HEALTH_PORT: String(await freePort()),
    };
  });
  after(() => rmSync(folder, { recursive: true }));

  function problems(changes: Readonly<Record<string, string>>): string[] {
    try {
      loadCodecServerConfig({ ...environment, ...changes });
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
      return [...error.problems];
    }
    return [];
  }

  it("has a default for what can have one", () => {
    const { keyring: ring, ...config } = loadCodecServerConfig({
      ...environment,
      CODEC_SERVER_PORT: "",
      HEALTH_PORT: "",
    });
    assert.deepEqual([...ring.keys.keys()], ["k1"]);
    assert.deepEqual(config, {
      port: 8081,
      healthPort: 8080,
      logLevel: "info",
      uiOrigin: UI,
      authentication: { mode: "token", token: TOKEN },
    });
  });

  it("refuses to serve everybody, to have two ways in, and half a way", () => {
    const none = { CODEC_AUTH_TOKEN_FILE: "" };
    const jwt = {
      CODEC_AUTH_ISSUER: "https://login.example.com/",
      CODEC_AUTH_AUDIENCE: "codec",
      CODEC_AUTH_JWKS_URL: "https://login.example.com/jwks",
      CODEC_AUTH_REQUIRED_CLAIMS: '{"groups": ["admins"]}',
    };
    assert.deepEqual(problems({ ...none, ...jwt }), []);
    assert.match(problems(none).join(), /^CODEC_AUTH_TOKEN_FILE: set either this or CODEC_AUTH_ISSUER/);
    assert.match(problems(jwt).join(), /^CODEC_AUTH_TOKEN_FILE: set either this/);
    assert.match(problems({ ...none, ...jwt, CODEC_AUTH_AUDIENCE: "" }).join(), /must be set together/);
    assert.deepEqual(problems({ ...none, ...jwt, CODEC_AUTH_REQUIRED_CLAIMS: "{}" }), []);
    for (const wrong of ["groups", "[]", '{"groups": "admins"}', '{"groups": []}', '{"": ["a"]}']) {
      assert.match(
        problems({ ...none, ...jwt, CODEC_AUTH_REQUIRED_CLAIMS: wrong }).join(),
        /CODEC_AUTH_REQUIRED_CLAIMS/,
        wrong,
      );
    }
    assert.match(
      problems({ ...none, ...jwt, CODEC_AUTH_REQUIRED_CLAIMS: "" }).join(),
      /must be set together/,
    );
  });

  it("names every problem at once, and no secret", () => {
    const found = problems({
      CODEC_KEYS_DIR: "/nowhere",
      CODEC_UI_ORIGIN: "https://temporal.example.com/",
      CODEC_AUTH_TOKEN_FILE: join(folder, "short"),
      CODEC_AUTH_JWKS_URL: "http://login.example.com/jwks",
      HEALTH_PORT: "0",
    });
    assert.deepEqual(found.map((line) => line.slice(0, line.indexOf(":"))).sort(), [
      "CODEC_AUTH_JWKS_URL",
      "CODEC_AUTH_TOKEN_FILE",
      "CODEC_KEYS_DIR",
      "CODEC_UI_ORIGIN",
      "HEALTH_PORT",
    ]);
    assert.ok(!found.join().includes("hunter2"));
    assert.match(problems({ HEALTH_PORT: environment["CODEC_SERVER_PORT"] ?? "" }).join(), /must differ/);
  });

  it("ends with 78 on wrong settings, and says which", async () => {
    const memory = memoryLogger();
    const { signal } = new AbortController();
    const { createLogger } = memory;
    assert.equal(await runCodecServer({ environment: {}, stop: signal, createLogger }), 78);
    for (const name of ["CODEC_KEYS_DIR", "CODEC_ACTIVE_KEY", "CODEC_UI_ORIGIN"]) {
      assert.match(memory.log(), new RegExp(`${name}: is required`));
    }
  });

  it("serves, and at the stop finishes what is under way and takes nothing new", async () => {
    const memory = memoryLogger();
    const stop = new AbortController();
    const { createLogger } = memory;
    const exit = runCodecServer({ environment, stop: stop.signal, createLogger });
    const at = (port: string | undefined, path: string) => `http://127.0.0.1:${port ?? ""}${path}`;
    const health = async (path: string): Promise<number> =>
      fetch(at(environment["HEALTH_PORT"], path)).then(
        ({ status }) => status,
        () => 0,
      );
    while ((await health("/readyz")) !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([await health("/startupz"), await health("/livez")], [200, 200]);

    const slow = httpRequest(at(environment["CODEC_SERVER_PORT"], "/decode"), {
      method: "POST",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        "content-length": "2",
      },
    });
    slow.write("{");
    while (!memory.log().includes("serving")) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort(new Error("received SIGTERM"));
    assert.equal(await health("/readyz"), 503);
    await assert.rejects(fetch(at(environment["CODEC_SERVER_PORT"], "/decode")));
    slow.end("}");
    const [response] = (await once(slow, "response")) as [IncomingMessage];
    response.resume();
    assert.deepEqual([response.statusCode, response.headers.connection], [200, "close"]);
    assert.equal(await exit, 0);
    assert.equal(await health("/livez"), 0);
  });

  it("fails when its port is taken", async () => {
    const taken = createServer().listen(Number(environment["CODEC_SERVER_PORT"]));
    await once(taken, "listening");
    const { createLogger } = memoryLogger();
    const { signal } = new AbortController();
    assert.equal(await runCodecServer({ environment, stop: signal, createLogger }), 1);
    taken.close();
  });
});
