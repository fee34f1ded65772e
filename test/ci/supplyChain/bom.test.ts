import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { billOfMaterials } from "../../../ci/supplyChain/bom";
import { readComponents } from "../../../ci/supplyChain/components";
import type { Lockfile } from "../../../ci/supplyChain/lockfile";
import { readLockfile } from "../../../ci/supplyChain/lockfile";
import { filesNamed, readRootFilesystem } from "../../../ci/supplyChain/rootFilesystem";
import { PROJECT_ROOT } from "../../program/stack";
import { imageRoot } from "./imageRoot";

const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;
const flags = { dev: false, devOptional: false, link: false, inBundle: false, hasInstallScript: false };
const locked = (name: string, version: string, more: object = {}) => ({
  ...{ path: `node_modules/${name}`, name, version, integrity, license: "MIT", ...flags },
  ...more,
});
const lockfile: Lockfile = {
  file: "package-lock.json",
  lockfileVersion: 3,
  packages: [
    locked("a", "1.0.0"),
    locked("@scope/b", "2.0.0", { license: "(MIT OR Apache-2.0)" }),
    locked("@scope/b", "2.0.0", { path: "node_modules/a/node_modules/@scope/b" }),
    locked("@scope/bundled", "3.0.0", { license: "see LICENSE" }),
    locked("webpack", "5.0.0"),
    locked("mocha", "12.0.0", { dev: true }),
  ],
};
const bomSchema = z.object({ components: z.array(z.object({ purl: z.string().optional() })) });
const purls = (text: string) =>
  bomSchema.parse(JSON.parse(text)).components.flatMap(({ purl }) => purl ?? []);
const worker = { name: "worker", version: "1" };

describe("bill of materials", () => {
  let root: string;
  before(() => {
    root = imageRoot();
  });
  after(() => rmSync(root, { recursive: true }));

  it("of an image: what is in it as files or in the bundle, its Debian packages and its Node.js", async () => {
    const image = await readRootFilesystem(root);
    const text = billOfMaterials({ ...worker, lockfile, image });
    assert.deepEqual(purls(text).sort(), [
      "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc%402.41-12",
      "pkg:deb/debian/tzdata@2025b-4?arch=all&distro=debian-13&upstream=tzdata%402025b-4",
      "pkg:github/nodejs/node@v24.21.0",
      "pkg:npm/%40scope/b@2.0.0",
      "pkg:npm/%40scope/bundled@3.0.0",
      "pkg:npm/a@1.0.0",
    ]);
    assert.equal(billOfMaterials({ ...worker, lockfile, image }), text);
    const file = join(root, "bom.json");
    writeFileSync(file, text);
    const { known, unknown } = readComponents(file);
    assert.deepEqual(unknown, []);
    assert.deepEqual(known.map(({ ecosystem, name, version }) => `${ecosystem} ${name} ${version}`).sort(), [
      "Bitnami node 24.21.0",
      "Debian:13 glibc 2.41-12",
      "Debian:13 tzdata 2025b-4",
      "npm @scope/b 2.0.0",
      "npm @scope/bundled 3.0.0",
      "npm a 1.0.0",
    ]);
  });

  it("of an image that holds an npm package which the lock file does not have: refused", async () => {
    const stray = join(root, "app/node_modules/stray");
    mkdirSync(stray);
    writeFileSync(join(stray, "package.json"), '{"name":"stray","version":"6.6.6"}');
    const image = await readRootFilesystem(root);
    assert.throws(
      () => billOfMaterials({ ...worker, lockfile, image }),
      /does not have for production: stray@6\.6\.6/,
    );
    rmSync(stray, { recursive: true });
  });

  it("of the lock file alone: all that may run, and it says what it lacks", () => {
    const own = readLockfile(join(PROJECT_ROOT, "worker/package-lock.json"));
    const text = billOfMaterials({ ...worker, lockfile: own, image: undefined });
    const names = purls(text).map((purl) => purl.replace(/@[^@]*$/, ""));
    assert.ok(names.includes("pkg:npm/%40temporalio/worker"));
    assert.ok(!names.includes("pkg:npm/mocha"));
    assert.match(text, /"temporal-stack:debian",\s+"value": "NOT INCLUDED"/);
    const file = join(root, "lock.json");
    writeFileSync(file, text);
    assert.deepEqual(readComponents(file).unknown, [
      "the bill has no Debian packages",
      "the bill has no Node.js",
    ]);
  });
});

describe("scan of an image's files", () => {
  it("ends in a folder that links to itself, and in one that is deeper than any image", () => {
    const root = imageRoot();
    try {
      assert.deepEqual(filesNamed(join(root, "app/node_modules"), "index.js"), []);
      mkdirSync(join(root, "app/node_modules", ...Array<string>(45).fill("d")), { recursive: true });
      assert.throws(() => filesNamed(join(root, "app/node_modules"), "index.js"), /folders 40 deep/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("reads no file of this machine through a link of the image", async () => {
    const root = imageRoot();
    try {
      const file = join(root, "usr/lib/os-release");
      const outside = join(root, "outside");
      writeFileSync(outside, readFileSync(file));
      unlinkSync(file);
      symlinkSync(outside, file);
      assert.equal((await readRootFilesystem(root)).distribution, undefined);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("refuses what is no worker image", async () => {
    await assert.rejects(readRootFilesystem(join(PROJECT_ROOT, "docs")), /is no worker image/);
  });
});
