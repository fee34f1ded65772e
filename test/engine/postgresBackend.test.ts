import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { image, PROGRAM, RecordingClone, STACK } from "../e2e/recordingClone";
import type { Finished } from "../e2e/support";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import { postgresPrograms, PostgresServer } from "../support/postgresServer";

/*
 * Pulumi's own database backend, in a real Postgres with TLS and logins by SCRAM; the API server is there for commands
 * that ask whether there is one.
 */

const NAME = "e2e_pulumi";
const CONFIG_SECRET = "a secret of the settings";
const outputsSchema = z.looseObject({ workerImage: z.string(), version: z.number().optional() });

describe("stacks in a Postgres database", () => {
  const postgres = postgresPrograms();
  const password = randomBytes(20).toString("hex");
  const temporary = mkdtempSync(join(tmpdir(), "temporal-stack-postgres-"));
  const told: string[] = [];
  let server: PostgresServer;
  let api: ApiServer;
  let url: string;
  let clone: RecordingClone;
  let first: string;

  /** Remembers what a command printed, and that no argument of any process held the password meanwhile. */
  async function watched(work: Promise<Finished>): Promise<Finished> {
    const seen = new Set<string>();
    const looking = setInterval(() => {
      for (const line of commandLines()) if (line.includes(password)) seen.add(line);
    }, 100);
    try {
      const finished = await work;
      told.push(finished.output);
      assert.deepEqual([...seen], [], "arguments of a process hold the backend's password");
      return finished;
    } finally {
      clearInterval(looking);
    }
  }
  const ops = (command: string, args: readonly string[] = [], env?: NodeJS.ProcessEnv) =>
    watched(clone.ops(command, args, env));
  const rollback = (...args: string[]) => ops("rollback", ["--skip-replay", "--no-verify", "--yes", ...args]);
  const locks = async (): Promise<number> =>
    Number(await sql("SELECT count(*) FROM pulumi_state WHERE key LIKE '%/locks/%'"));

  async function outputs(): Promise<z.output<typeof outputsSchema>> {
    const { exitCode, output } = await clone.pulumi(["stack", "output", "--json"]);
    assert.equal(exitCode, 0, output);
    return outputsSchema.parse(JSON.parse(output));
  }

  const sql = (statement: string): Promise<string> => server.sql(NAME, statement);

  before("a stack in the database", async function () {
    if (postgres === undefined) {
      console.warn("SKIPPED: no Postgres in /usr/lib/postgresql; install Debian's package postgresql");
      return this.skip();
    }
    server = new PostgresServer(postgres);
    await server.start();
    await server.sql("postgres", `CREATE ROLE ${NAME} LOGIN PASSWORD '${password}'`);
    await server.sql("postgres", `CREATE DATABASE ${NAME} OWNER ${NAME}`);
    url = `postgres://${NAME}:${password}@127.0.0.1:${server.port}/${NAME}?sslmode=require`;
    api = await ApiServer.start();
    const kubeconfig = api.kubeconfig(ADMINISTRATOR);
    clone = new RecordingClone({ KUBECONFIG: kubeconfig, PULUMI_BACKEND_URL: url, TMPDIR: temporary });
    await clone.start();
  });

  after(async () => {
    if (postgres === undefined) return;
    clone.remove();
    await api.stop();
    await server.stop();
    rmSync(temporary, { recursive: true, force: true });
  });

  it("keeps what was deployed, and its history tells it", async () => {
    clone.useImage("1");
    clone.file.layOver({ workerImage: { registry: { username: "pusher" } } });
    const path = "temporal-stack:workerImage.registry.password";
    const set = await clone.pulumi(["config", "set", "--path", path, "--secret"], {}, CONFIG_SECRET);
    assert.equal(set.exitCode, 0, set.output);
    first = clone.commit("First version");
    await clone.up("first");
    clone.useImage("2");
    appendFileSync(join(clone.folder, "index.ts"), "export const version = 2;\n");
    const second = clone.commit("Second version");
    await clone.up("second");
    const { exitCode, output } = await ops("history");
    assert.equal(exitCode, 0, output);
    const [, newest = "", oldest = "", ...more] = output.trim().split("\n");
    assert.deepEqual(more, []);
    assert.match(newest, new RegExp(`succeeded +${second.slice(0, 12)} .*222222222222 .* second$`));
    assert.match(oldest, new RegExp(`succeeded +${first.slice(0, 12)} .*111111111111 .* first$`));
  });

  it("previews with a report that names the database without its login", async () => {
    clone.useImage("3");
    const { exitCode, output } = await ops("preview");
    assert.match(output, /stack dev \(postgres:\/\/127\.0\.0\.1:\d+\/\w+\)/);
    // What the program lacks of a real one breaks no policy, and stack dev only advises.
    assert.ok(exitCode === 2 || exitCode === 0, output);
    clone.git("checkout", "--quiet", "Pulumi.dev.yaml");
  });

  it("goes back by what the database keeps: program, settings, secrets, image", async () => {
    const { exitCode, output } = await rollback("--to", first);
    assert.equal(exitCode, 0, output);
    assert.match(output, new RegExp(`stack dev is back at commit ${first.slice(0, 12)}`));
    const { version, workerImage } = await outputs();
    assert.equal(version, undefined);
    assert.match(workerImage, new RegExp(`@${image("1")}$`));
    assert.equal(await locks(), 0);
    const { output: history } = await ops("history");
    assert.match(history, new RegExp(`succeeded +${first.slice(0, 12)} .*rollback to commit`));
  });

  it("refuses while another command holds the lock, and says what to do when that one was killed", async () => {
    clone.useImage("5");
    clone.commit("Third version");
    await clone.up("third");
    const slow =
      'import * as pulumi from "@pulumi/pulumi";\n' +
      "export const slow = new Promise((done) => setTimeout(done, pulumi.runtime.isDryRun() ? 0 : 120_000));\n";
    writeFileSync(join(clone.folder, "index.ts"), PROGRAM + slow);
    clone.useImage("4");
    const args = ["up", "--yes", "--skip-preview", "--stack", STACK, "--non-interactive"];
    const killed = spawn("pulumi", args, {
      ...{
        cwd: clone.folder,
        env: { ...process.env, ...clone.environment },
        stdio: "ignore",
        detached: true,
      },
    });
    while ((await locks()) === 0) {
      assert.equal(killed.exitCode, null, "the update ended before it took the lock");
      await delay(200);
    }
    const owner = `process ${String(killed.pid)} of `;
    const meanwhile = await rollback("--to", first);
    assert.equal(meanwhile.exitCode, 1, meanwhile.output);
    assert.ok(meanwhile.output.includes(`another command works on stack dev: ${owner}`), meanwhile.output);
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    await once(killed, "exit");
    clone.git("checkout", "--quiet", "index.ts", "Pulumi.dev.yaml");
    assert.equal(await locks(), 1);

    const next = await rollback("--to", first);
    assert.equal(next.exitCode, 1, next.output);
    assert.ok(next.output.includes(`stack dev is locked by ${owner}`), next.output);
    assert.match(next.output, /which is gone; nothing was changed\n→ .*pulumi cancel --stack dev/);
    const shown = await ops("recover");
    assert.equal(shown.exitCode, 0, shown.output);
    assert.match(shown.output, /lock cannot be seen on this backend/);
    assert.match(shown.output, /nothing else was left behind/);
    const cancelled = await clone.pulumi(["cancel", "--yes"]);
    assert.equal(cancelled.exitCode, 0, cancelled.output);
    assert.equal(await locks(), 0);
    const { exitCode, output } = await rollback("--to", first);
    assert.equal(exitCode, 0, output);
    assert.match((await outputs()).workerImage, new RegExp(`@${image("1")}$`));
  });

  it("shows its password to nobody, not even when it cannot be opened", async () => {
    const wrong = url.replace(password, "guessedSecret");
    const { exitCode, output } = await ops("history", [], { PULUMI_BACKEND_URL: wrong });
    assert.equal(exitCode, 1, output);
    assert.match(output, /password authentication failed/);
    assert.match(output, /→ check PULUMI_BACKEND_URL and that the backend answers/);
    assert.doesNotMatch(output, /guessedSecret/);
    const all = told.join("\n");
    for (const secret of [password, CONFIG_SECRET]) assert.ok(!all.includes(secret), "it was printed");
    const kept =
      "SELECT count(*) FROM pulumi_state WHERE convert_from(decode(data->>'data', 'base64'), 'UTF8') LIKE";
    for (const secret of [password, CONFIG_SECRET])
      assert.equal(Number(await sql(`${kept} '%${secret}%'`)), 0, "it is kept in the clear");
    assert.ok(Number(await sql(`${kept} '%workerImage%'`)) > 0, "there is nothing to look through");
  });
});

/** Arguments of every process of this machine. */
function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
      } catch {
        return [];
      }
    });
}
