import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkVulnerabilities, exitCodeOf, type GateOptions } from "../../../ci/supplyChain/gate";
import { renderGate } from "../../../ci/supplyChain/vulnerabilityReport";
import { advisory, deb, LOW, npm } from "./advisories";
import { archiveOf } from "./zip";

const NOW = new Date("2026-06-15T12:00:00Z");
describe("vulnerability gate", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-osv-test-"));
  const seeded = npm("seeded", "1.0.0");
  const glibc = deb("glibc", "2.41-12");
  const usual: GateOptions = {
    components: { known: [seeded, npm("clean", "1.0.0"), glibc], unknown: [] },
    database: folder,
    allowed: [],
    level: "high",
    maxAgeDays: 7,
    now: NOW,
  };
  const options: GateOptions = { ...usual, fewest: 1 };
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

  it("keeps the worst of the advisories that share a name, whichever comes first", async () => {
    const harmless = { ...hole, id: "CVE-2026-1", aliases: [], severity: [{ type: "CVSS_V3", score: LOW }] };
    const chained = { ...harmless, id: "GHSA-third", aliases: ["GHSA-seed"] };
    for (const advisories of [
      [harmless, hole],
      [hole, harmless],
      [harmless, chained, hole],
    ]) {
      database(advisories);
      const result = await checkVulnerabilities(options);
      assert.deepEqual(
        result.findings.map(({ id, level, shuts }) => [id, level, shuts]),
        [["GHSA-seed", "critical", true]],
      );
      assert.equal(exitCodeOf(result, merge), 1);
    }
  });

  it("opens for an advisory of several CVEs only when all of them are allowed", async () => {
    database([{ ...hole, aliases: ["CVE-2026-1"], upstream: ["CVE-2026-2"] }]);
    const codeWith = async (...ids: string[]) => {
      const allowed = ids.map((id) => allowance("2026-06-20", { id }));
      const result = await checkVulnerabilities({ ...options, allowed });
      assert.deepEqual(result.unused, [], "an entry for a part is needed");
      return exitCodeOf(result, merge);
    };
    assert.equal(await codeWith("CVE-2026-1"), 1);
    assert.equal(await codeWith("CVE-2026-2"), 1);
    assert.equal(await codeWith("CVE-2026-1", "CVE-2026-2"), 0);
    assert.equal(await codeWith("GHSA-seed"), 0);
    // A second advisory brings a third CVE along.
    const wider = advisory("GHSA-wider", seeded, { aliases: ["CVE-2026-2", "CVE-2026-3"] });
    database([{ ...hole, aliases: ["CVE-2026-1", "CVE-2026-2"] }, wider]);
    assert.equal(await codeWith("CVE-2026-1", "CVE-2026-2"), 1);
    assert.equal(await codeWith("GHSA-seed"), 1);
    assert.equal(await codeWith("GHSA-seed", "CVE-2026-3"), 0);
  });

  it("takes a handful of advisories for no database", async () => {
    database([]);
    const result = await checkVulnerabilities(usual);
    assert.deepEqual(result.checked, []);
    assert.equal(exitCodeOf(result, release), 1);
    assert.match(
      renderGate(result, merge),
      /NOT CHECKED 2 packages of npm: .* has 1 advisories of npm, expected at least 20000 \(--fewest\)/,
    );
  });

  it("takes a date in the future for no freshness", async () => {
    const future = { ...advisory("GHSA-future", npm("other", "1")), modified: "2099-01-01T00:00:00Z" };
    database([future]);
    const later = { ...options, now: new Date("2026-07-01T00:00:00Z") };
    const result = await checkVulnerabilities(later);
    assert.equal(exitCodeOf(result, release), 1);
    assert.match(renderGate(result, release), /STALE +2 packages of npm .* the newest of 2026-06-14/);
    const before = await checkVulnerabilities({ ...options, now: new Date("2026-01-01T00:00:00Z") });
    assert.equal(exitCodeOf(before, release), 1);
    assert.match(renderGate(before, release), /STALE +2 packages of npm .* all of them of the future/);
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
      "/npm/all.zip": archiveOf({
        "GHSA-seed.json": JSON.stringify(hole),
        "README.txt": "text",
        "GHSA-no.json": '{"id":"GHSA-no","modified":"2026-01-01T00:00:00Z"}',
      }),
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
      assert.deepEqual(
        result.checked.map(({ advisories, newest }) => [advisories, newest]),
        [
          [1, "2026-06-14T00:00:00Z"],
          [2, "2026-06-14T00:00:00Z"],
        ],
      );
    } finally {
      server.close();
    }
  });
});
