import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { installPlugins } from "../../../toolchain/plugins/install";
import { installed, installOptions } from "./pluginProcess";

describe("plugin installation", () => {
  const { pulumiHome, sdkRoot } = installOptions;
  const codeRoot = join(pulumiHome, "substitute-plugins");

  it("puts the executables where the engine looks, changes nothing the second time, and repairs", async () => {
    const first = await installed();
    assert.deepEqual(
      first.map(({ name, executable, changed }) => [name, executable.slice(pulumiHome.length), changed]),
      [
        ["nodejs", "/bin/pulumi-language-nodejs", true],
        ["random", "/plugins/resource-random-v4.21.2/pulumi-resource-random", true],
        ["docker", "/plugins/resource-docker-v5.2.0/pulumi-resource-docker", true],
      ],
    );
    for (const { executable } of first) assert.equal(statSync(executable).mode & 0o777, 0o755);
    const [code] = readdirSync(codeRoot);
    const modified = statSync(join(codeRoot, code ?? "")).mtimeMs;

    const second = await installPlugins(installOptions);
    assert.ok(second.every(({ changed }) => !changed));
    assert.equal(statSync(join(codeRoot, code ?? "")).mtimeMs, modified);

    writeFileSync(first[1]?.executable ?? "", "half writ");
    mkdirSync(join(codeRoot, "0000000000000000.interrupted.tmp"));
    const repaired = await installPlugins(installOptions);
    assert.deepEqual(
      repaired.map(({ changed }) => changed),
      [false, true, false],
    );
    assert.deepEqual(readdirSync(codeRoot), [code]);
    assert.match(readFileSync(first[1]?.executable ?? "", "utf8"), /^#!\/bin\/sh\n/);
  });

  it("installs plugins that do not outlive an engine that was killed", async () => {
    const random = (await installed())[1]?.executable ?? "";
    const program = `
      const plugin = require("node:child_process").spawn(process.argv[1], [], { stdio: ["ignore", "pipe", "ignore"] });
      plugin.stdout.pipe(process.stdout);
    `;
    const engine = spawn(process.execPath, ["-e", program, random], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise<number>((found) => {
      engine.stdout.once("data", (line) => {
        found(Number(line));
      });
    });
    const listens = () =>
      new Promise<boolean>((answer) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("error", () => {
          answer(false);
        });
        socket.once("connect", () => {
          socket.destroy();
          answer(true);
        });
      });
    assert.ok(await listens());
    engine.kill("SIGKILL");
    for (let waited = 0; waited < 3000 && (await listens()); waited += 20) await sleep(20);
    assert.ok(!(await listens()));
  });

  it("says what to do when the checkout with the dependencies is gone", async () => {
    const [languageHost] = await installed();
    const dependencies = join(sdkRoot, "node_modules");
    renameSync(dependencies, `${dependencies}.gone`);
    const { status, stderr } = spawnSync(languageHost?.executable ?? "", [], { encoding: "utf8" });
    renameSync(`${dependencies}.gone`, dependencies);
    assert.equal(status, 1);
    assert.match(stderr, /has no installed dependencies any more: run npm run up/);
  });
});
