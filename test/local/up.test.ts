import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { root } from "./folders";
import { exitCodes } from "../../common/exitCodes";

describe("npm run up", () => {
  const state = join(root, "up-state");
  const cache = join(root, "up-cache");
  const kubeconfig = join(root, "kubeconfig-without-contexts");
  const programs = join(root, "up-programs");

  before(() => {
    mkdirSync(programs);
    writeFileSync(kubeconfig, "apiVersion: v1\nkind: Config\n");
    writeFileSync(join(programs, "docker"), '#!/bin/sh\n[ "$1" = info ]\n', { mode: 0o755 });
  });

  const up = (...args: readonly string[]) =>
    execa(
      process.execPath,
      ["--require", "sucrase/register/ts", resolve(__dirname, "../../local/up.ts"), ...args],
      {
        reject: false,
        env: {
          KUBECONFIG: kubeconfig,
          PATH: `${programs}:${process.env["PATH"] ?? ""}`,
          TEMPORAL_STACK_CACHE: cache,
          TEMPORAL_STACK_STATE: state,
          TEMPORAL_STACK_DOWNLOADS: "http://127.0.0.1:1",
        },
      },
    );

  for (const [given, partner] of [
    ["--repository", "--context"],
    ["--context", "--repository"],
  ] as const) {
    it(`refuses ${given} without ${partner}`, async () => {
      const { exitCode, stderr } = await up(given, "registry.example.com");
      assert.equal(exitCode, exitCodes.usage, stderr);
      assert.match(stderr, /name both: --context NAME --repository REGISTRY\/NAME/);
    });
  }

  it("names the context and the missing image builder at once, before anything is made", async () => {
    const { exitCode, stderr } = await up(
      "--context",
      "nowhere",
      "--repository",
      "registry.example.com/worker",
    );
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /the context "nowhere" is not in the kubeconfig/);
    assert.match(stderr, /docker buildx version fails: install/);
    for (const folder of [state, cache]) assert.equal(existsSync(folder), false, folder);
  });
});
