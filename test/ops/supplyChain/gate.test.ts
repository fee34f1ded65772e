import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { advisorySchema, match } from "../../../ops/supplyChain/advisory";
import { readAllowList } from "../../../ops/supplyChain/allowList";
import type { Component } from "../../../ops/supplyChain/components";
import { checkVulnerabilities, exitCodeOf, type GateOptions } from "../../../ops/supplyChain/gate";
import { renderGate } from "../../../ops/supplyChain/report";

const NOW = new Date("2026-06-15T12:00:00Z");
const CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const LOW = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

const npm = (name: string, version: string): Component => ({
  ecosystem: "npm",
  label: `npm:${name}`,
  name,
  version,
});
const deb = (name: string, version: string): Component => ({
  ...{ ecosystem: "Debian:13", label: `deb:${name}`, name, version },
});

/** An advisory of our own. */
function advisory(id: string, component: Component, more: Readonly<Record<string, unknown>> = {}) {
  const { ecosystem, name } = component;
  const { events = [{ introduced: "0" }], ...rest } = more;
  return {
    id,
    modified: "2026-06-14T00:00:00Z",
    summary: `hole in ${name}`,
    severity: [{ type: "CVSS_V3", score: CRITICAL }],
    affected: [{ package: { ecosystem, name }, ranges: [{ type: "SEMVER", events }] }],
    ...rest,
  };
}

describe("advisory", () => {
  const affects = (component: Component, ...events: Readonly<Record<string, string>>[]) =>
    match(advisorySchema.parse(advisory("X-1", component, { events })), component) !== undefined;

  it("is about the versions of its ranges", () => {
    const range = [
      { introduced: "1.2.0" },
      { fixed: "1.2.9" },
      { introduced: "2.0.0" },
      { last_affected: "2.1.0" },
    ];
    const vulnerable = {
      "1.1.9": false,
      "1.2.0": true,
      "1.2.8": true,
      "1.2.9": false,
      "2.1.0": true,
      "2.1.1": false,
    };
    for (const [version, expected] of Object.entries(vulnerable)) {
      assert.equal(affects(npm("a", version), ...range), expected, version);
      assert.equal(affects(npm("a", version), ...[...range].reverse()), expected, version);
    }
    assert.ok(!affects(npm("a", "1.2.0-rc.1"), ...range));
    assert.ok(affects(npm("a", "0.0.1"), { introduced: "0" }));
    assert.ok(affects(npm("a", "1.0.0"), { introduced: "1.0.0" }, { last_affected: "1.0.0" }));
  });

  it("is about versions as Debian orders them", () => {
    const range = [{ introduced: "0" }, { fixed: "2.41-12+deb13u1" }];
    assert.ok(affects(deb("glibc", "2.41-9"), ...range));
    assert.ok(affects(deb("glibc", "2.41-12"), ...range));
    assert.ok(!affects(deb("glibc", "2.41-12+deb13u1"), ...range));
    assert.ok(!affects(deb("glibc", "1:2.0-1"), ...range));
  });

  it("is about a version that cannot be compared", () => {
    assert.ok(affects(npm("a", "1.0.0"), { introduced: "not a version" }));
  });

  it("is about nothing once it is withdrawn, and about no other package or release", () => {
    const parsed = advisorySchema.parse(advisory("X-1", deb("glibc", "1")));
    assert.ok(match(parsed, deb("glibc", "1")));
    assert.equal(match({ ...parsed, withdrawn: "2026-01-01T00:00:00Z" }, deb("glibc", "1")), undefined);
    assert.equal(match(parsed, deb("zlib", "1")), undefined);
    assert.equal(match(parsed, { ...deb("glibc", "1"), ecosystem: "Debian:12" }), undefined);
  });

  it("has the level of its worst score, or that of its words", () => {
    const levelOf = (id: string, more: Readonly<Record<string, unknown>>) =>
      match(advisorySchema.parse(advisory(id, npm("a", "1.0.0"), more)), npm("a", "1.0.0"))?.level;
    const scores = (...vectors: string[]) => ({
      severity: vectors.map((score) => ({ type: "CVSS_V3", score })),
    });
    assert.equal(levelOf("X", scores(LOW, CRITICAL)), "critical");
    assert.equal(levelOf("X", scores(LOW)), "low");
    assert.equal(
      levelOf("X", scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")),
      "critical",
    );
    assert.equal(levelOf("X", { severity: [], database_specific: { severity: "MODERATE" } }), "medium");
    assert.equal(levelOf("X", scores("CVSS:3.1/AV:N", "nonsense")), "unknown");
    assert.equal(levelOf("MAL-2026-1", scores()), "critical");
  });
});

describe("vulnerability gate", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-osv-test-"));
  const seeded = npm("seeded", "1.0.0");
  const glibc = deb("glibc", "2.41-12");
  const options: GateOptions = {
    components: { known: [seeded, npm("clean", "1.0.0"), glibc], unknown: [] },
    database: folder,
    allowed: [],
    level: "high",
    maxAgeDays: 7,
    now: NOW,
  };
  const release = { release: true };
  const merge = { release: false };
  const hole = advisory("GHSA-seed", seeded, {
    aliases: ["CVE-2026-1"],
    events: [{ introduced: "0" }, { fixed: "1.0.1" }],
  });

  function database(npmAdvisories: readonly object[], debianAdvisories: readonly object[] = []): void {
    rmSync(folder, { recursive: true });
    const unrelated = advisory("GHSA-other", npm("other", "1"));
    const all = {
      npm: [...npmAdvisories, unrelated],
      Debian: [...debianAdvisories, advisory("D-1", deb("other", "1"))],
    };
    for (const [ecosystem, advisories] of Object.entries(all)) {
      mkdirSync(join(folder, ecosystem), { recursive: true });
      advisories.forEach((content, index) =>
        writeFileSync(join(folder, ecosystem, `${index}.json`), JSON.stringify(content)),
      );
    }
  }

  const allowance = (expires: string, more: object = {}) => ({
    ...{ id: "CVE-2026-1", package: "npm:seeded", owner: "team@example.com", expires },
    ...{ reason: "its parser is never given anything" },
    ...more,
  });

  after(() => rmSync(folder, { recursive: true }));

  it("opens where everything was checked and nothing was found", async () => {
    database([]);
    const result = await checkVulnerabilities(options);
    assert.equal(exitCodeOf(result, release), 0);
    assert.match(renderGate(result, release), /checked +2 packages of npm against 1 advisories[^]*\npassed$/);
  });

  it("is shut by a seeded package with a known vulnerability, and names it and the version that mends it", async () => {
    database([hole]);
    const result = await checkVulnerabilities(options);
    assert.equal(exitCodeOf(result, merge), 1);
    const text = renderGate(result, merge);
    assert.match(
      text,
      /VULNERABLE critical 9\.8 {2}npm:seeded 1\.0\.0: GHSA-seed \(CVE-2026-1\): hole in seeded; mended in 1\.0\.1/,
    );
    assert.match(text, /FAILED: 1 vulnerabilities/);
  });

  it("tells of what is below the level, and is shut by what has none", async () => {
    database([{ ...hole, severity: [{ type: "CVSS_V3", score: LOW }] }]);
    const below = await checkVulnerabilities(options);
    assert.equal(exitCodeOf(below, release), 0);
    assert.match(renderGate(below, release), /tolerated +low/);
    database([], [{ ...advisory("DSA-1", glibc), severity: [] }]);
    assert.equal(exitCodeOf(await checkVulnerabilities(options), merge), 1);
  });

  it("counts one vulnerability under two names once", async () => {
    database([hole, { ...hole, id: "CVE-2026-1", aliases: [] }]);
    assert.equal((await checkVulnerabilities(options)).findings.length, 1);
  });

  it("opens for what is allowed, until the end of its last day", async () => {
    database([hole]);
    const allowed = await checkVulnerabilities({ ...options, allowed: [allowance("2026-06-15")] });
    assert.equal(exitCodeOf(allowed, release), 0);
    assert.match(renderGate(allowed, release), /tolerated[^]*team@example\.com until 2026-06-15/);
    const over = await checkVulnerabilities({ ...options, allowed: [allowance("2026-06-14")] });
    assert.equal(exitCodeOf(over, merge), 1);
    assert.match(renderGate(over, merge), /VULNERABLE[^]*EXPIRED +CVE-2026-1 of npm:seeded[^]*FAILED/);
    const other = await checkVulnerabilities({
      ...options,
      allowed: [allowance("2026-06-20", { package: "npm:clean" })],
    });
    assert.equal(exitCodeOf(other, merge), 1);
    assert.match(renderGate(other, merge), /unused +CVE-2026-1 of npm:clean/);
  });

  it("is shut by an exception that is over, even if nothing needs it", async () => {
    database([]);
    assert.equal(
      exitCodeOf(await checkVulnerabilities({ ...options, allowed: [allowance("2026-01-01")] }), merge),
      1,
    );
  });

  it("shuts for a release with stale data, and only warns before", async () => {
    database([]);
    const later = { ...options, now: new Date("2026-06-22T00:00:01Z") };
    const result = await checkVulnerabilities(later);
    assert.equal(exitCodeOf(result, merge), 0);
    assert.match(
      renderGate(result, merge),
      /STALE +2 packages of npm[^]*passed with stale data, which would stop a release/,
    );
    assert.equal(exitCodeOf(result, release), 1);
    assert.match(renderGate(result, release), /FAILED: stale data/);
  });

  it("claims no pass where the database or a part of it cannot be had", async () => {
    database([]);
    rmSync(join(folder, "Debian"), { recursive: true });
    const part = await checkVulnerabilities(options);
    const none = await checkVulnerabilities({ ...options, database: "http://127.0.0.1:1" });
    writeFileSync(join(folder, "npm/all.zip"), "no archive");
    const damaged = await checkVulnerabilities(options);
    for (const result of [part, none, damaged]) {
      assert.equal(exitCodeOf(result, merge), 3);
      assert.equal(exitCodeOf(result, release), 1);
      assert.match(renderGate(result, merge), /NOT CHECKED, and so not passed/);
      assert.doesNotMatch(renderGate(result, merge), /^passed/m);
    }
    assert.match(renderGate(part, merge), /NOT CHECKED 1 packages of Debian:13: there is no folder/);
    assert.match(
      renderGate(none, merge),
      /NOT CHECKED 2 packages of npm: http:\/\/127\.0\.0\.1:1\/npm\/all\.zip/,
    );
    assert.match(renderGate(damaged, merge), /NOT CHECKED 2 packages of npm: the archive of npm is damaged/);
  });

  it("reads the archives that OSV publishes, by address", async () => {
    const archives: Readonly<Record<string, Buffer>> = {
      "/npm/all.zip": archiveOf({ "GHSA-seed.json": JSON.stringify(hole), "README.txt": "text" }),
      "/Debian/all.zip": archiveOf({ "D-1.json": JSON.stringify(advisory("D-1", deb("other", "1"))) }),
    };
    const server = createServer(({ url }, response) => response.end(archives[url ?? ""])).listen(
      0,
      "127.0.0.1",
    );
    try {
      await new Promise((resolve) => server.once("listening", resolve));
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const result = await checkVulnerabilities({ ...options, database: address });
      assert.deepEqual(
        result.findings.map(({ id }) => id),
        ["GHSA-seed"],
      );
      assert.deepEqual(result.notChecked, []);
    } finally {
      server.close();
    }
  });
});

describe("list of allowed vulnerabilities", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-allow-"));
  after(() => rmSync(folder, { recursive: true }));
  const read = (text: string) => {
    const file = join(folder, "allowed.yaml");
    writeFileSync(file, text);
    return readAllowList(file, NOW);
  };
  const entry = (line: string) =>
    `allowed:\n  - id: CVE-1\n    package: npm:a\n    owner: team\n    reason: only its command line is concerned\n    ${line}\n`;

  it("takes owner, reason and an end within 90 days", () => {
    assert.equal(read(entry("expires: 2026-09-13"))[0]?.expires, "2026-09-13");
    assert.throws(() => read(entry("expires: 2026-09-14")), /is wrong/);
    assert.throws(() => read(entry("note: no end")), /is wrong/);
    assert.throws(() =>
      read(entry("expires: 2026-07-01").replace("only its command line is concerned", "fine")),
    );
  });

  it("of the project is in order, and explained in it", () => {
    const file = join(__dirname, "../../../ops/supplyChain/allowed-vulnerabilities.yaml");
    assert.doesNotThrow(() => readAllowList(file, NOW));
    assert.match(readFileSync(file, "utf8"), /# +expires: /);
  });
});

/** A ZIP archive of stored files. */
function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const sizes = Buffer.alloc(14);
    sizes.writeUInt32LE(crc32(content), 0);
    sizes.writeUInt32LE(content.length, 4);
    sizes.writeUInt32LE(content.length, 8);
    sizes.writeUInt16LE(name.length, 12);
    const version = Buffer.from([20, 0]);
    const common = Buffer.concat([version, Buffer.alloc(8), sizes, Buffer.alloc(2)]);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), content]);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02"), version, common, where, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from("PK\x05\x06"), end]);
}
