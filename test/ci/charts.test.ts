import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import { chartsOf, checkChart } from "../../ci/chartArchive";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { charts } from "../../settings/versions";
import { PROJECT_ROOT } from "../program/stack";
import { hashOf } from "../toolchain/mirror";

describe("charts of a stack", () => {
  const archive = Buffer.from("the archive that was tested");
  const pin = {
    repository: "https://example.com",
    name: "temporal",
    version: "1.6.0",
    sha256: hashOf(archive),
  };
  const index = (url: string) =>
    stringify({ apiVersion: "v1", entries: { temporal: [{ version: "1.6.0", urls: [url] }] } });
  const files = new Map<string, string | Buffer>();
  const server = createServer(({ url = "" }, response) => {
    const content = files.get(url);
    if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });
  let repository = "";

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}/charts`;
  });
  after(() => server.close());
  beforeEach(() => {
    files.clear();
    files.set("/charts/index.yaml", index("temporal-1.6.0.tgz"));
    files.set("/charts/temporal-1.6.0.tgz", archive);
  });
  const check = (change: object = {}) => checkChart({ repository, version: "1.6.0", pin, ...change });

  it("are the archives that are pinned, at a relative or a whole address", async () => {
    assert.equal(await check(), undefined);
    files.set("/charts/index.yaml", index(`${repository}/releases/t.tgz`));
    files.set("/charts/releases/t.tgz", archive);
    assert.equal(await check(), undefined);
  });

  it("are refused when the archive is another one", async () => {
    files.set("/charts/temporal-1.6.0.tgz", "another archive under the same name");
    await assert.rejects(
      check(),
      /temporal-1\.6\.0\.tgz has checksum [0-9a-f]{64}, but settings\/versions\.ts has/,
    );
  });

  it("are refused when the repository does not give them", async () => {
    files.delete("/charts/temporal-1.6.0.tgz");
    await assert.rejects(check(), /temporal-1\.6\.0\.tgz answers 404/);
    files.set("/charts/index.yaml", "entries: {}");
    await assert.rejects(check(), /has no chart temporal 1\.6\.0/);
    files.set("/charts/index.yaml", "<html>: {");
    await assert.rejects(check(), /has no chart temporal 1\.6\.0/);
    await assert.rejects(check({ repository: "http://127.0.0.1:1" }), /cannot be fetched/);
  });

  it("say what could not be compared", async () => {
    assert.match(
      (await check({ version: "1.7.0" })) ?? "",
      /is that of version 1\.6\.0: set version and sha256/,
    );
    assert.match((await check({ repository: "oci://example.com/charts" })) ?? "", /is an OCI registry/);
  });

  it("are those that the settings deploy", () => {
    const used = (stack: string) => {
      const source = sourceOfStackFile(PROJECT_ROOT, stack);
      assert.ok(source);
      return chartsOf(parseSettings(source));
    };
    assert.deepEqual(used("local"), []);
    assert.deepEqual(
      used("dev").map((chart) => chart.pin),
      [charts.temporal, charts.cloudNativePg],
    );
  });
});
