import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { stackLocks } from "../../../common/stackLocks";
import { image, PROGRAM, RecordingClone, STACK } from "../recordingClone";

/*
 * The real CLI on a backend of files, and real Git: a copy of the checkout as a clone, whose program keeps the
 * guards and the records and leaves out what needs a cluster.
 */

const outputsSchema = z.looseObject({
  workerImage: z.string(),
  password: z.number().optional(),
  version: z.number().optional(),
  quarantine: z.array(z.object({ digest: z.string(), reason: z.string() })),
});

describe("rollback through the history of a stack", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-history-"));
  const cluster = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ major: "1", minor: "36", gitVersion: "v1.36.0" }));
  });
  const recording = new RecordingClone({
    KUBECONFIG: join(folder, "kubeconfig"),
    PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
    TMPDIR: join(folder, "tmp"),
  });
  const { folder: clone, file, environment } = recording;
  let port: number;

  const pulumi = recording.pulumi.bind(recording);
  const ops = recording.ops.bind(recording);
  const git = recording.git.bind(recording);
  const commit = recording.commit.bind(recording);
  const up = recording.up.bind(recording);
  const useImage = recording.useImage.bind(recording);
  const rollback = (args: string[] = [], env?: NodeJS.ProcessEnv) =>
    ops("rollback", ["--skip-replay", "--no-verify", ...args], env);

  async function outputs(): Promise<z.output<typeof outputsSchema>> {
    const { exitCode, output } = await pulumi(["stack", "output", "--json", "--show-secrets"]);
    assert.equal(exitCode, 0, output);
    return outputsSchema.parse(JSON.parse(output));
  }

  const kubeconfig = (at: number): void =>
    writeFileSync(
      environment.KUBECONFIG,
      `apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: test } }]
clusters: [{ name: test, cluster: { server: "http://127.0.0.1:${at}", insecure-skip-tls-verify: true } }]
users: [{ name: test, user: {} }]
`,
    );
  const leftovers = (): string[] =>
    readdirSync(environment.TMPDIR).filter((name) => /^temporal-stack-(ops|rollback)-/.test(name));

  let first: string;
  let second: string;

  before(async () => {
    for (const name of ["backend", "tmp"]) mkdirSync(join(folder, name));
    cluster.listen(0, "127.0.0.1");
    await once(cluster, "listening");
    port = (cluster.address() as AddressInfo).port;
    kubeconfig(port);
    await recording.start();
  });

  after(() => {
    cluster.close();
    rmSync(folder, { recursive: true, force: true });
    recording.remove();
  });

  it("says that there is none yet", async () => {
    commit("Nothing deployed");
    const history = await ops("history");
    assert.equal(history.exitCode, 0, history.output);
    assert.match(history.output, /nothing was deployed to stack dev yet/);
    const refused = await rollback(["--yes"]);
    assert.equal(refused.exitCode, 1, refused.output);
    assert.match(refused.output, /stack dev has no history/);
  });

  it("tells what was deployed from which commit, with which image", async () => {
    useImage("1");
    file.layOver({ workerImage: { registry: { username: "pusher" } } });
    const path = "temporal-stack:workerImage.registry.password";
    const set = await pulumi(["config", "set", "--path", path, "--secret"], {}, "first secret");
    assert.equal(set.exitCode, 0, set.output);
    first = commit("First version");
    await up("first");
    useImage("2");
    await pulumi(["config", "set", "--path", path, "--secret"], {}, "another secret");
    appendFileSync(join(clone, "index.ts"), "export const version = 2;\n");
    second = commit("Second version");
    await up("second \u001b[31mred");
    const { exitCode, output } = await ops("history");
    assert.equal(exitCode, 0, output);
    const [, newest = "", oldest = "", ...more] = output.trim().split("\n");
    assert.deepEqual(more, []);
    assert.ok(newest.includes(second.slice(0, 12)) && oldest.includes(first.slice(0, 12)), output);
    assert.match(newest, /update +succeeded .*222222222222 +1\.31\.2 +Ann Author +second \[31mred$/);
    assert.match(oldest, /update +succeeded .*111111111111 +1\.31\.2 +Ann Author +first$/);
    assert.equal((await outputs()).password, "another secret".length);
  });

  it("changes nothing with a wrong passphrase, and says what is wrong", async () => {
    const { exitCode, output } = await rollback(["--yes"], { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    assert.equal(exitCode, 1, output);
    assert.match(output, /secrets of stack dev cannot be decrypted: the passphrase is wrong/);
  });

  it("changes nothing when the cluster cannot be reached", async () => {
    kubeconfig(1);
    const { exitCode, output } = await rollback(["--yes"]);
    kubeconfig(port);
    assert.equal(exitCode, 1, output);
    assert.match(output, /the cluster http:\/\/127\.0\.0\.1:1 cannot be reached\n[^]*→ nothing was changed/);
    assert.equal((await outputs()).version, 2);
  });

  it("asks first, and does nothing where nobody can answer", async () => {
    const { exitCode, output } = await rollback();
    assert.equal(exitCode, 1, output);
    assert.match(output, /cannot ask for confirmation: stdin is not a terminal/);
    // The preview came before.
    assert.match(output, /Previewing update/);
    assert.doesNotMatch(output, /first secret|another secret/);
    assert.equal((await outputs()).version, 2);
  });

  it("restores program, settings, secrets and image; of two at once only one does", async () => {
    const both = await Promise.all([rollback(["--yes"]), rollback(["--yes"])]);
    const told = both.map(({ output }) => output).join("\n-----\n");
    assert.deepEqual(both.map(({ exitCode }) => exitCode).sort(), [0, 1], told);
    const refused = both.find(({ exitCode }) => exitCode === 1)?.output ?? "";
    assert.match(refused, /another rollback of stack dev is under way/);
    const { version, workerImage, password, quarantine } = await outputs();
    assert.equal(version, undefined);
    assert.match(workerImage, new RegExp(`@${image("1")}$`));
    assert.equal(password, "first secret".length);
    assert.deepEqual(
      quarantine.map(({ digest }) => digest),
      [image("2")],
    );
    assert.equal(git("status", "--porcelain"), "");
    assert.equal(git("rev-parse", "HEAD"), second);
    assert.equal(git("worktree", "list").split("\n").length, 1);
    assert.deepEqual(leftovers(), []);
    const { output } = await ops("history");
    const [, newest = "", before = ""] = output.split("\n");
    assert.match(
      newest,
      new RegExp(`succeeded +${first.slice(0, 12)} .*rollback to commit ${first.slice(0, 12)} of 2`),
    );
    assert.match(before, /222222222222 quarantine/);
    await delay(1_000);
  });

  it("refuses the image that was left behind, to everybody, in a preview too", async () => {
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { exitCode, output } = await pulumi(command);
      assert.notEqual(exitCode, 0, output);
      assert.match(output, /is in quarantine since .*left behind by a rollback of/s);
      assert.match(output, /Nothing was changed/);
    }
    const back = await rollback(["--yes", "--to", second.slice(0, 10)]);
    assert.equal(back.exitCode, 1, back.output);
    assert.match(back.output, /its worker image sha256:2+ is in quarantine/);
  });

  it("lets it through once it was released with a reason", async () => {
    const listed = await ops("quarantine");
    assert.match(listed.output, /^sha256:2{64} {2}since 2/m);
    const unexplained = await ops("quarantine", ["--release", image("2")]);
    assert.equal(unexplained.exitCode, 1, unexplained.output);
    const released = await ops("quarantine", [
      "--release",
      image("2").slice(0, 20),
      "--reason",
      "the test was wrong",
    ]);
    assert.equal(released.exitCode, 0, released.output);
    commit("Release the second image");
    await up("second again");
    const { version, quarantine } = await outputs();
    assert.equal(version, 2);
    assert.deepEqual(quarantine, []);
  });

  it("swaps the worker image alone, on the program that is deployed and no other", async () => {
    writeFileSync(join(clone, "index.ts"), `${PROGRAM}export const version = 3;\n`);
    const dirty = await rollback(["--yes", "--worker-only"]);
    assert.equal(dirty.exitCode, 1, dirty.output);
    assert.match(dirty.output, /files of the program differ from commit/);
    git("checkout", "--quiet", "index.ts");
    git("checkout", "--quiet", first);
    const other = await rollback(["--yes", "--worker-only"]);
    assert.match(other.output, /this checkout is at commit .*, deployed is /);
    git("checkout", "--quiet", "-");
    const { exitCode, output } = await rollback(["--yes", "--worker-only", "--reason", "smoke order failed"]);
    assert.equal(exitCode, 0, output);
    const { version, workerImage, password, quarantine } = await outputs();
    assert.equal(version, 2);
    assert.match(workerImage, new RegExp(`@${image("1")}$`));
    assert.equal(password, "another secret".length);
    const [held, ...others] = quarantine;
    assert.deepEqual([held?.digest, held?.reason, others], [image("2"), "smoke order failed", []]);
    assert.equal(git("status", "--porcelain"), "");
    await delay(1_000);
  });

  it("refuses what data would not survive, and says what can be done instead", async () => {
    useImage("3");
    file.change("postgres", (postgres) => ({
      ...z.looseObject({}).parse(postgres),
      storage: { size: "10Gi" },
    }));
    commit("A larger volume");
    await up("larger volume");
    const { exitCode, output } = await rollback(["--yes", "--to", first]);
    assert.equal(exitCode, 1, output);
    assert.match(output, /cannot go back to commit .*; nothing was changed/);
    assert.match(output, /postgres\.storage\.size: deployed is 10Gi, found 5Gi; volumes never shrink/);
    assert.match(output, /--worker-only/);
  });

  it("refuses a program that nobody has: uncommitted, or of a commit that is gone", async () => {
    appendFileSync(join(clone, "index.ts"), "export const uncommitted = true;\n");
    await up("uncommitted");
    git("checkout", "--quiet", "index.ts");
    useImage("4");
    const gone = commit("Will be gone");
    await up("gone");
    git("reset", "--quiet", "--hard", "HEAD~1");
    git("reflog", "expire", "--expire=now", "--all");
    git("gc", "--quiet", "--prune=now");
    useImage("5");
    commit("Fifth image");
    await up("fifth");
    const { output } = await rollback(["--yes", "--to", gone]);
    assert.match(output, /is not in this clone: get it with git fetch origin/);
    // The one before is the same image from files that were never committed.
    const time = /^(\S+) .* uncommitted$/m.exec((await ops("history")).output)?.[1] ?? "";
    const uncommitted = await rollback(["--yes", "--to", time]);
    assert.match(uncommitted.output, /its program differed from commit .*: nobody has it any more/);
    assert.match(uncommitted.output, /can be gone back to: npm run rollback -- -s dev --to 2/);
  });

  it("says the one command when it was killed, which shows what is left and resolves it", async () => {
    const index = join(clone, "index.ts");
    writeFileSync(
      index,
      `${PROGRAM}import * as pulumi from "@pulumi/pulumi";
       const seconds = pulumi.runtime.isDryRun() ? 0 : 8;
       export const slow = new Promise((done) => setTimeout(done, seconds * 1_000));\n`,
    );
    useImage("6");
    const slow = commit("Takes long");
    await up("slow");
    writeFileSync(index, PROGRAM);
    useImage("7");
    commit("Fast again");
    await up("fast");

    const args = [
      "common/bootstrap.mjs",
      "ops/rollback",
      "-s",
      STACK,
      "--skip-replay",
      "--no-verify",
      "--yes",
    ];
    const log = openSync(join(folder, "killed.log"), "w");
    const killed = spawn(process.execPath, args, {
      ...{ cwd: clone, env: { ...process.env, ...environment }, stdio: ["ignore", log, log], detached: true },
    });
    while ((await stackLocks(join(folder, "backend"), "temporal-stack", STACK)).length === 0) {
      assert.equal(killed.exitCode, null, readFileSync(join(folder, "killed.log"), "utf8"));
      await delay(50);
    }
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    await once(killed, "exit");
    assert.equal(leftovers().length, 2);
    await interruptCreation();

    const next = await rollback(["--yes"]);
    assert.equal(next.exitCode, 1, next.output);
    assert.match(next.output, /is locked by process \d+ of .*, which is gone; nothing was changed/);
    assert.match(next.output, /→ npm run recover -- -s dev/);
    // What the killed one had left behind went with its lock.
    assert.deepEqual(leftovers(), []);
    assert.equal(git("worktree", "list").split("\n").length, 1);

    const shown = await ops("recover");
    assert.equal(shown.exitCode, 1, shown.output);
    assert.match(shown.output, /lock of process \d+ of .*, which is gone: remove it/);
    assert.match(shown.output, /creating of urn:.*::never was interrupted/);
    assert.match(shown.output, /cannot ask for confirmation: stdin is not a terminal/);
    assert.equal((await stackLocks(join(folder, "backend"), "temporal-stack", STACK)).length, 1);

    kubeconfig(1);
    const unreachable = await ops("recover", ["--yes"]);
    kubeconfig(port);
    assert.equal(unreachable.exitCode, 1, unreachable.output);
    assert.match(unreachable.output, /is not recovered yet: the cluster .* cannot be reached/);
    assert.deepEqual(await stackLocks(join(folder, "backend"), "temporal-stack", STACK), []);

    const recovered = await ops("recover", ["--yes"]);
    assert.equal(recovered.exitCode, 0, recovered.output);
    const again = await ops("recover");
    assert.equal(again.exitCode, 0, again.output);
    assert.match(again.output, /nothing was left behind/);

    const { exitCode, output } = await rollback(["--yes"]);
    assert.equal(exitCode, 0, output);
    assert.match(output, new RegExp(`back to commit ${slow.slice(0, 12)}`));
    assert.match((await outputs()).workerImage, new RegExp(`@${image("6")}$`));
  });

  /** Leaves in the state what an engine leaves that is killed while it creates a resource. */
  async function interruptCreation(): Promise<void> {
    const path = join(folder, `backend/.pulumi/stacks/temporal-stack/${STACK}.json`);
    const state = z
      .looseObject({
        checkpoint: z.looseObject({ latest: z.looseObject({ resources: z.array(z.unknown()) }) }),
      })
      .parse(JSON.parse(readFileSync(path, "utf8")));
    const urn = `urn:pulumi:${STACK}::temporal-stack::random:index/randomUuid:RandomUuid::never`;
    const resource = { urn, custom: true, type: "random:index/randomUuid:RandomUuid", inputs: {} };
    Object.assign(state.checkpoint.latest, { pending_operations: [{ type: "creating", resource }] });
    writeFileSync(path, JSON.stringify(state));
  }
});
