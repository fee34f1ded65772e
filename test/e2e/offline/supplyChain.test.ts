import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { execa } from "execa";
import { z } from "zod";
import { checkout } from "../../../common/paths";
import { imageRoot } from "../../ci/supplyChain/imageRoot";

/** What the worker's image is made of, with the real worker, and the commands as pipelines run them. */
describe("supply chain", () => {
  const root = imageRoot();
  const bill = join(root, "sbom.json");
  const database = join(root, "database");

  async function run(
    script: string,
    ...args: string[]
  ): Promise<{ exitCode: number | undefined; output: string }> {
    const command = ["run", "--silent", script, "--", ...args];
    const { exitCode, all } = await execa("npm", command, { cwd: checkout, all: true, reject: false });
    return { exitCode, output: all };
  }
  const gate = (...args: string[]) =>
    run("vulnerabilities", "--sbom", bill, "--database", database, "--fewest", "1", ...args);

  /** A database of our own that is as fresh as this minute. */
  function seed(vulnerable: string): void {
    const modified = new Date().toISOString();
    const advisory = (id: string, ecosystem: string, name: string) => ({
      ...{
        id,
        modified,
        severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
      },
      affected: [
        { package: { ecosystem, name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] },
      ],
    });
    const advisories = {
      npm: advisory("GHSA-test", "npm", vulnerable),
      Debian: advisory("DSA-test", "Debian:13", "nothing-of-it"),
      Bitnami: advisory("BIT-test", "Bitnami", "nothing-of-it"),
    };
    for (const [ecosystem, content] of Object.entries(advisories)) {
      mkdirSync(join(database, ecosystem), { recursive: true });
      writeFileSync(join(database, ecosystem, "advisory.json"), JSON.stringify(content));
    }
  }

  before(async () => {
    const traced = join(checkout, "worker/out");
    const had = existsSync(traced);
    for (const script of ["build", "trace"]) {
      await execa("npm", ["run", "--silent", script], { cwd: join(checkout, "worker") });
    }
    rmSync(join(root, "app"), { recursive: true });
    cpSync(traced, join(root, "app"), { recursive: true });
    if (!had) rmSync(traced, { recursive: true });
  });

  after(() => rmSync(root, { recursive: true }));

  it("the bill of the worker's image is valid CycloneDX and names what runs, and nothing that only builds", async () => {
    const { exitCode, output } = await run("sbom", "--folder", root, "--output", bill);
    assert.equal(exitCode, 0, output);
    const text = readFileSync(bill, "utf8");
    assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
    const { components } = z
      .object({ components: z.array(z.object({ purl: z.string().optional() })) })
      .parse(JSON.parse(text));
    const purls = components.flatMap(({ purl }) => purl ?? []).join("\n");
    for (const part of [
      "%40temporalio/core-bridge@",
      "%40temporalio/workflow@",
      "pino@",
      "deb/debian/libc6@",
      "nodejs/node@",
    ]) {
      assert.ok(purls.includes(part), part);
    }
    for (const part of ["webpack@", "mocha@", "typescript@", "esbuild@"])
      assert.ok(!purls.includes(part), part);
  });

  it("the bill of the lock file is valid CycloneDX, too, and says what it lacks", async () => {
    const file = join(root, "lock.json");
    const { exitCode, output } = await run("sbom", "--output", file);
    assert.equal(exitCode, 0, output);
    assert.match(output, /NOT INCLUDED: the Debian packages/);
    const text = readFileSync(file, "utf8");
    assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
    const release = await run("vulnerabilities", "--sbom", file, "--database", database, "--release");
    assert.equal(release.exitCode, 1, release.output);
  });

  it("a release passes with fresh data and nothing in them", async () => {
    seed("nothing-of-it");
    const { exitCode, output } = await gate("--release");
    assert.equal(exitCode, 0, output);
    assert.match(output, /^passed$/m);
  });

  it("a package with a known vulnerability fails", async () => {
    seed("pino");
    const { exitCode, output } = await gate();
    assert.equal(exitCode, 1, output);
    assert.match(output, /VULNERABLE critical 9\.8 {2}npm:pino [\d.]+: GHSA-test/);
  });

  it("nothing passes that could not be checked", async () => {
    seed("nothing-of-it");
    rmSync(join(database, "npm"), { recursive: true });
    const [plain, tolerated, release] = [
      await gate(),
      await gate("--tolerate-unchecked"),
      await gate("--release"),
    ];
    assert.deepEqual([plain.exitCode, tolerated.exitCode, release.exitCode], [3, 0, 1]);
    for (const { output } of [plain, tolerated, release]) {
      assert.match(output, /NOT CHECKED \d+ packages of npm/);
      assert.doesNotMatch(output, /^passed/m);
    }
  });

  it("a lock file that somebody has tampered with fails", async () => {
    const file = join(root, "package-lock.json");
    const lock = readFileSync(join(checkout, "worker/package-lock.json"), "utf8");
    writeFileSync(
      file,
      lock.replace(/"integrity": "sha512-[^"]+"/, '"resolved": "https://evil.example/a.tgz"'),
    );
    const { exitCode, output } = await run("lint:lockfiles", file);
    assert.equal(exitCode, 1, output);
    assert.match(output, /resolved to https:\/\/evil\.example\/a\.tgz[^]*has no integrity/);
  });
});
