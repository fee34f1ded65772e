import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { certificateProblem, isPair, privateKeyProblem } from "../../settings/pem";
import { credentialProjections } from "../../components/manifests/temporalCredentialsManifests";
import { cliFailure } from "../../common/pulumi";
import { pem } from "../fixtures/certificates";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "../components/refusal";
import { managedSettings, chartSections, MANAGED } from "../components/samples";

const NOW = Date.UTC(2030, 0);
const secretKeys = ["temporal-stack:temporal"];

const external = (tls: Values): Values => ({
  ...LEAST,
  temporal: { mode: "external", address: "a:1", namespace: "n", network: { namespace: "t" }, tls },
});
const client = (privateKey: string, certificate = pem("client.crt")): Values =>
  external({ client: { certificate, privateKey } });

describe("certificates in settings", () => {
  const taken: readonly [title: string, text: string][] = [
    ["one", pem("ca.crt")],
    [
      "a bundle with comments",
      `# first\n${pem("ca.crt")}\nsubject=CN = second\n${pem("client.crt")}\n# end\n`,
    ],
    ["lines that end as Windows ends them", pem("ca.crt").replaceAll("\n", "\r\n")],
    ["a bundle of which some have expired", pem("expired.crt") + pem("ca.crt")],
    ["an authority of version 1", pem("v1.crt")],
  ];
  for (const [title, text] of taken) {
    it(`are taken: ${title}`, () => assert.equal(certificateProblem(text, "authorities", NOW), undefined));
  }

  const refused: readonly [title: string, text: string, pattern: RegExp][] = [
    ["a private key beside one", pem("ca.crt") + pem("client.key"), /without a private key/],
    [
      "an encrypted private key beside one",
      pem("ca.crt") + pem("client-encrypted.key"),
      /without a private key/,
    ],
    ["a private key alone", pem("client-ec.key"), /without a private key/],
    ["a path", "/etc/ssl/ca.pem", /certificates of authorities in PEM format/],
    ["text that is no certificate", pem("ca.crt").replace(/MII.{20}/, "MIIB"), /number 1 cannot/],
    ["none but expired ones", pem("expired.crt"), /valid now; CN=test expired is valid from .* 2000 .* 2001/],
    ["none that is valid yet", pem("future.crt"), /valid now; CN=test future/],
    [
      "a request for one",
      pem("ca.crt").replaceAll("CERTIFICATE", "CERTIFICATE REQUEST"),
      /nothing but blocks .*, not CERTIFICATE REQUEST/,
    ],
    ["more than a variable carries", pem("ca.crt").repeat(200), /at most 64 KiB .*Secret or ConfigMap/],
  ];
  for (const [title, text, pattern] of refused) {
    it(`are refused: ${title}`, () => {
      assert.match(certificateProblem(text, "authorities", NOW) ?? "", pattern);
      for (const message of [
        refusal(external({ ca: text })),
        refusal({ ...chartSections(), postgres: { ...MANAGED, ca: text } }),
      ]) {
        assert.match(message, /\.ca \(Pulumi\.dev\.yaml\): must be /);
        assert.ok(!message.includes("MII") && !message.includes("MHcC"), message);
      }
    });
  }

  it("of a client are refused when any has expired, or is of an old version", () => {
    assert.match(
      certificateProblem(pem("client.crt") + pem("expired.crt"), "client", NOW) ?? "",
      /valid now/,
    );
    assert.match(
      certificateProblem(pem("v1.crt"), "client", NOW) ?? "",
      /X\.509 version 3.*CN=test version 1/,
    );
    assert.equal(certificateProblem(pem("client.crt") + pem("ca.crt"), "client", NOW), undefined);
  });
});

describe("private keys in settings", () => {
  for (const name of ["client.key", "client-ec.key"]) {
    it(`are taken with their certificate: ${name}`, () => {
      assert.equal(privateKeyProblem(`# ours\n${pem(name)}`), undefined);
      parseSettings(source(client(pem(name)), { secretKeys }));
    });
  }

  const refused: readonly [title: string, key: string, pattern: RegExp][] = [
    ["with a passphrase", pem("client-encrypted.key"), /private key without a passphrase/],
    [
      "with a passphrase, in the older form",
      pem("client-encrypted-ec.key"),
      /private key without a passphrase/,
    ],
    ["of another certificate", pem("other.key"), /does not belong to the first certificate/],
    ["that cannot be read", pem("client.key").replace(/MI.{20}/, "MIIB"), /a private key that can be read/],
    ["several", pem("client.key") + pem("other.key"), /one private key, not several/],
    ["a certificate instead", pem("client.crt"), /a private key in PEM/],
  ];
  for (const [title, key, pattern] of refused) {
    it(`are refused: ${title}`, () => {
      const message = refusal(client(key), { secretKeys });
      assert.match(message, /temporal\.tls\.client\.privateKey /);
      assert.match(message, pattern);
      assert.ok(!/M[IHC][A-Za-z0-9+/]{8}/.test(message), message);
    });
  }

  it("belong to the first certificate, not to one of its chain", () => {
    assert.ok(isPair(pem("client.crt") + pem("ca.crt"), pem("client-ec.key")));
    assert.ok(!isPair(pem("ca.crt") + pem("client.crt"), pem("client-ec.key")));
  });
});

describe("authorities by name", () => {
  it("are mounted for the workers from a Secret or a ConfigMap", () => {
    for (const [kind, projection] of [
      ["configMap", { configMap: { name: "company-ca", items: [{ key: "root.pem", path: "ca.crt" }] } }],
      ["secret", { secret: { name: "company-ca", items: [{ key: "root.pem", path: "ca.crt" }] } }],
    ] as const) {
      const settings = external({ caFrom: { [kind]: "company-ca", key: "root.pem" } });
      const { temporal } = parseSettings(source(settings));
      assert.deepEqual(credentialProjections(temporal, undefined), [projection]);
    }
  });

  it("are one object, and stand alone", () => {
    assert.match(refusal(external({ caFrom: {} })), /tls\.caFrom .*set either secret or configMap/);
    assert.match(
      refusal(external({ caFrom: { secret: "a" }, ca: pem("ca.crt") })),
      /tls\.caFrom .*cannot be set together with tls\.ca/,
    );
    const service = (changes: Values): Values => ({
      ...chartSections(),
      postgres: { ...MANAGED, ...changes },
    });
    assert.match(
      refusal(service({ caFrom: { secret: "a" }, ca: pem("ca.crt") })),
      /postgres\.caFrom .*cannot be set together/,
    );
    assert.match(
      refusal(service({ caFrom: { secret: "a" }, verifyTls: "none" })),
      /caFrom .*verifies nothing/,
    );
    managedSettings({}, { caFrom: { configMap: "company.ca" } });
  });
});

describe("settings that do not fit the environment of the program", () => {
  it("are refused with their size and the largest section by the commands, which read the stack file", () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
    try {
      const labels = { a: "a".repeat(130_000) };
      writeFileSync(join(folder, "Pulumi.dev.yaml"), JSON.stringify({ config: { ...LEAST, labels } }));
      const stackFile = sourceOfStackFile(folder, "dev");
      assert.ok(stackFile);
      assert.throws(
        () => parseSettings(stackFile),
        /the settings take 128 KiB, 127 KiB of them in temporal-stack:labels; .*120 KiB/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are named when the engine fails to start the program", () => {
    for (const output of ["error: spawn E2BIG", "fork/exec /usr/bin/node: argument list too long"]) {
      const { message } = cliFailure({ stack: "prod", local: false }, ["preview"], output);
      assert.match(message, /settings of stack prod are too large/);
    }
  });
});
