import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { localImages, provideImage } from "../../local/cluster/native/images";
import { locks } from "../../local/recovery";
import {
  changeImage,
  changeWorker,
  checkout,
  killedAt,
  podsOf,
  pulumi,
  restoreStackFile,
  run,
  succeed,
} from "./support";
import { stopForwarding } from "../../local/firstWorkflow";

const up = ["npm", "run", "up"];

/** Puts an image beside the worker's whose program ends at once, and returns its digest. */
async function crashingImage(): Promise<string> {
  const reference = await provideImage({
    name: "temporal-stack/worker:crashes",
    bases: [localImages.nodeRuntime],
    dockerfile: (pinned) =>
      [
        `FROM ${pinned(localImages.nodeRuntime)}`,
        `CMD ["-e", "console.error('crashed on purpose'); process.exit(1)"]`,
      ].join("\n"),
    context: () => Promise.resolve(mkdtempSync(join(tmpdir(), "temporal-stack-crashes-"))),
  });
  return reference.slice(reference.indexOf("@") + 1);
}

/** The kernel may take a moment to free the port of a process that has just ended. */
async function listening(port: number): Promise<Server> {
  const giveUpAt = Date.now() + 10_000;
  for (;;) {
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
      return server;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await delay(200);
    }
  }
}

describe("npm run up says what is wrong, and carries on from there", () => {
  afterEach(() => {
    restoreStackFile();
  });

  it("when it is not root", async () => {
    const home = mkdtempSync(join(tmpdir(), "temporal-stack-nobody-"));
    await execa("chown", ["65534:65534", home]);
    await execa("chmod", ["-R", "a+rX", checkout]);
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const { exitCode, output } = await run([...asNobody, ...up, "--", "--native"], { env: { HOME: home } });
    assert.equal(exitCode, 1, output);
    assert.match(output, /needs root: use sudo/);
  });

  it("when a port is taken", async () => {
    await stopForwarding();
    const server = await listening(8233);
    const { exitCode, output } = await run(up);
    server.close();
    assert.equal(exitCode, 1, output);
    assert.match(output, /port 8233 on 127\.0\.0\.1 is taken/);
  });

  it("when the disk is too small", async () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-disk-"));
    await execa("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]);
    try {
      const { exitCode, output } = await run(up, { env: { TEMPORAL_STACK_CACHE: folder } });
      assert.equal(exitCode, 1, output);
      assert.match(output, /needs 20 GiB of free disk, there are 0\.1 GiB/);
    } finally {
      await execa("umount", [folder]);
      rmSync(folder, { recursive: true });
    }
  });

  it("when no registry can be reached", async () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-offline-"));
    const { exitCode, output } = await run(up, {
      env: { TEMPORAL_STACK_CACHE: folder, GOPROXY: "http://127.0.0.1:1" },
    });
    rmSync(folder, { recursive: true });
    assert.equal(exitCode, 1, output);
    assert.match(output, /no Go module registry can be reached/);
  });

  it("when a setting is mistyped", async () => {
    changeWorker({ logLevle: "debug" });
    const { exitCode, output } = await run(up);
    assert.equal(exitCode, 1, output);
    assert.match(output, /temporal-stack:workers\[0\]\.logLevle/);
    assert.match(output, /Pulumi\.local\.yaml/);
  });

  it("when a worker crashes at its start: its reason and log are shown, the old pods keep running", async () => {
    const before = await podsOf("temporal-workers");
    changeImage({ digest: await crashingImage() });
    const { exitCode, output } = await run(up);
    assert.equal(exitCode, 1, output);
    assert.match(output, /CrashLoopBackOff|last ended with exit code 1/);
    assert.match(output, /crashed on purpose/);
    const running = (await podsOf("temporal-workers")).map(({ metadata }) => metadata.name);
    for (const { metadata } of before) assert.ok(running.includes(metadata.name), `${metadata.name} is gone`);
    restoreStackFile();
    await succeed(up);
  });

  it("when it was killed in the middle of pulumi up", async () => {
    changeWorker({ logLevel: "warn" });
    await killedAt("Deployment worker-orders-deployment updating", up);
    for (const { pid } of await locks("local")) process.kill(pid, "SIGKILL");
    await delay(1_000);
    const output = await succeed(up);
    assert.match(output, /the lock of process \d+, which is gone, was removed/);
    assert.match(output, /The first workflow has finished/);
    const { exitCode } = await pulumi("preview", "--expect-no-changes");
    assert.equal(exitCode, 0);
  });
});
