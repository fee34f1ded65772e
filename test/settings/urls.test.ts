import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "../components/refusal";

const jwt = (changes: Values): Values => ({
  payloadEncryption: {
    codecServer: {
      uiOrigin: "https://temporal.example.com",
      auth: {
        mode: "jwt",
        issuer: "https://login.example.com/",
        audience: "temporal-codec",
        jwksUrl: "https://login.example.com/jwks",
        requiredClaims: {},
        network: { cidrs: ["192.0.2.0/24"] },
        ...changes,
      },
    },
  },
});
const codec = (changes: Values): Values => ({
  payloadEncryption: { codecServer: { uiOrigin: "https://temporal.example.com", ...changes } },
});
const image = (changes: Values): Values => ({ workerImage: { repository: "registry/worker", ...changes } });
const tracing = (changes: Values): Values => ({
  tracing: { endpoint: "https://otlp.example.com", network: { cidrs: ["192.0.2.0/24"] }, ...changes },
});

/** Every setting that takes a URL. */
const URLS: readonly [key: string, sections: (address: string) => Values][] = [
  ["charts.temporalRepository", (temporalRepository) => ({ charts: { temporalRepository } })],
  ["charts.cloudNativePgRepository", (cloudNativePgRepository) => ({ charts: { cloudNativePgRepository } })],
  ["workerImage.source", (address) => image({ source: address })],
  ["tracing.endpoint", (endpoint) => tracing({ endpoint })],
  ["payloadEncryption.codecServer.uiOrigin", (uiOrigin) => codec({ uiOrigin })],
  ["payloadEncryption.codecServer.publicUrl", (publicUrl) => codec({ publicUrl })],
  ["payloadEncryption.codecServer.auth.jwksUrl", (jwksUrl) => jwt({ jwksUrl })],
  ["payloadEncryption.codecServer.auth.issuer", (issuer) => jwt({ issuer })],
];

describe("URLs in settings", () => {
  for (const [key, sections] of URLS) {
    it(`are taken without a login: ${key}`, () => {
      parseSettings(source({ ...LEAST, ...sections("https://example.com") }));
    });
    it(`are refused with a user name or password, which is not shown: ${key}`, () => {
      for (const login of ["deploy:hunter2", "hunter2", ":hunter2", `${"u".repeat(80)}:hunter2`]) {
        const message = refusal({ ...LEAST, ...sections(`https://${login}@example.com`) });
        assert.ok(message.includes(`temporal-stack:${key} `) && message.includes("user name and password"));
        assert.ok(!message.includes("hunter2") && !message.includes("uuu"), message);
      }
    });
  }

  it("show no login either where a URL is not expected", () => {
    const message = refusal({
      ...LEAST,
      ...image({ repository: "deploy:hunter2@registry.example.com/worker" }),
    });
    assert.match(message, /workerImage\.repository .*got "\.\.\.@registry/);
    assert.ok(!message.includes("hunter2"));
  });

  for (const scheme of ["http", "HTTP", "hTTp"]) {
    it(`are in the clear with the scheme ${scheme}`, () => {
      const message = refusal(
        {
          ...LEAST,
          ...tracing({ endpoint: `${scheme}://otlp.example.com`, headers: "authorization=hunter2" }),
        },
        { secretKeys: ["temporal-stack:tracing"] },
      );
      assert.match(message, /tracing\.headers .*out of the cluster in the clear; use an https endpoint/);
    });
    it(`carry no access token with the scheme ${scheme}`, () => {
      const [encryption] = Object.values(jwt({}));
      const { codecServer } = encryption as { codecServer: Values };
      const sections = codec({ ...codecServer, publicUrl: `${scheme}://codec.example.com` });
      assert.match(refusal({ ...LEAST, ...sections }), /codecServer\.publicUrl /);
    });
  }
});

describe("messages about settings", () => {
  const worker = (changes: Values): Values => ({
    ...LEAST,
    workers: [{ name: "orders", taskQueues: ["orders"], ...changes }],
  });
  const cases: readonly [title: string, sections: Values, pattern: RegExp][] = [
    [
      "beside a key that is wrong",
      worker({ env: { db_password: "hunter2" } }),
      /env\.db_password .*the key must be /,
    ],
    [
      "in a mapping whose keys users choose",
      worker({ env: { PIN: 4711 } }),
      /env\.PIN .*must be .* got a number, which is not shown/,
    ],
    [
      "in place of such a mapping",
      worker({ env: "DATABASE_URL=hunter2" }),
      /env .*must be a mapping .* got a string, which is not shown/,
    ],
    [
      "beside a label whose key is wrong",
      { ...LEAST, labels: { "a b": "hunter2" } },
      /labels\["a b"\] .*the key must be /,
    ],
  ];
  for (const [title, sections, pattern] of cases) {
    it(`show no value ${title}`, () => {
      const message = refusal(sections);
      assert.match(message, pattern);
      assert.doesNotMatch(message, /hunter2|4711/);
    });
  }
});
