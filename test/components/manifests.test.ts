import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { contentHash } from "../../components/manifests/contentHash";
import { workedNamespaces } from "../../components/manifests/temporalNames";
import { devServerArguments } from "../../components/manifests/temporalDevServerManifests";
import { imagePin } from "../../settings/imagePin";
import { bytesOf, canonicalCpu, canonicalMemory, millicoresOf } from "../../settings/quantity";
import { parseSettings } from "../../settings/settings";
import { closest } from "../../settings/suggestions";
import { images } from "../../settings/versions";
import { registryOf } from "../../components/workerImage";

function temporaryFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("quantities", () => {
  it("keep their amount in the canonical spelling", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (amount) => {
        assert.equal(bytesOf(canonicalMemory(amount * 1024)), amount * 1024);
        assert.equal(millicoresOf(canonicalCpu(amount)), amount);
      }),
    );
  });

  it("are spelled as the API server spells them", () => {
    assert.deepEqual([canonicalMemory(1024 ** 3), canonicalMemory(1536 * 1024 ** 2)], ["1Gi", "1536Mi"]);
    assert.deepEqual([canonicalCpu(2000), canonicalCpu(1500)], ["2", "1500m"]);
    assert.deepEqual(["1.5Gi", "1G", "0", "-1Mi", "Mi"].map(bytesOf), Array(5).fill(undefined));
    assert.deepEqual(["0.5", "1.5", "m", "0"].map(millicoresOf), Array(4).fill(undefined));
  });
});

describe("content hash", () => {
  it("changes with what is built from and nothing else", () => {
    temporaryFolder((folder) => {
      mkdirSync(join(folder, "src"));
      writeFileSync(join(folder, "src", "a.ts"), "1");
      const before = contentHash(folder, ["linux/amd64"]);
      mkdirSync(join(folder, "node_modules"));
      writeFileSync(join(folder, "node_modules", "x.js"), "1");
      writeFileSync(join(folder, "npm-debug.log"), "1");
      assert.equal(contentHash(folder, ["linux/amd64"]), before);
      assert.match(before, /^[0-9a-f]{16}$/);
      assert.notEqual(contentHash(folder, ["linux/arm64"]), before);
      writeFileSync(join(folder, "src", "a.ts"), "2");
      assert.notEqual(contentHash(folder, ["linux/amd64"]), before);
    });
  });
});

describe("dev server", () => {
  it("registers namespace and search attributes", () => {
    const settings = parseSettings({
      stack: "local",
      stackFile: "Pulumi.local.yaml",
      secretKeys: [],
      config: {
        "temporal-stack:temporal": JSON.stringify({
          mode: "devServer",
          namespace: "shop",
          searchAttributes: { Region: "Keyword", Amount: "Double" },
        }),
        "temporal-stack:workerImage": JSON.stringify({ repository: "a/b" }),
        "temporal-stack:workers": JSON.stringify([
          { name: "a", taskQueues: ["a"] },
          { name: "b", taskQueues: ["b"], namespace: "billing" },
          { name: "c", taskQueues: ["c"], namespace: "billing" },
        ]),
      },
    });
    const { temporal } = settings;
    assert.equal(temporal.mode, "devServer");
    const args = devServerArguments(temporal, workedNamespaces(settings));
    assert.deepEqual(
      args.filter((argument) => argument.startsWith("--namespace=")),
      ["--namespace=shop", "--namespace=billing"],
    );
    assert.deepEqual(args.slice(-2), [
      "--search-attribute=Amount=Double",
      "--search-attribute=Region=Keyword",
    ]);
    assert.ok(!args.some((argument) => argument.startsWith("--ui-codec-endpoint")));
    const codec = "https://codec.example.com";
    assert.ok(devServerArguments(temporal, ["shop"], codec).includes(`--ui-codec-endpoint=${codec}`));
  });
});

describe("images", () => {
  it("are named by tag and, where known, digest", () => {
    assert.equal(imagePin({ repository: "a/b", tag: "1" }), "a/b:1");
    for (const image of Object.values(images)) {
      assert.match(imagePin(image), /^[a-z0-9./-]+:[\w.-]+(@sha256:[0-9a-f]{64})?$/);
    }
  });

  it("belong to the registry in their name, or to Docker Hub", () => {
    const registries = ["localhost:5000/a/b", "ghcr.io/a/b", "localhost/a", "team/name", "name"].map(
      registryOf,
    );
    assert.deepEqual(registries, ["localhost:5000", "ghcr.io", "localhost", "docker.io", "docker.io"]);
  });
});

describe("suggestions", () => {
  it("find a mistyped key and leave a strange one alone", () => {
    const known = ["workers", "workerImage", "labels"];
    assert.deepEqual(
      ["wrokers", "workerimage", "label", "x"].map((key) => closest(key, known)),
      ["workers", "workerImage", "labels", undefined],
    );
  });
});
