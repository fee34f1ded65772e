import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import "./folders";
import { logFile, runningPid, start, stop, waitUntilReady } from "../../local/cluster/native/process";
import { Failure } from "../../common/failure";
import { state } from "../../common/paths";

const pidFile = (name: string): string => state("run", `${name}.pid`);
const log = (name: string): string => readFileSync(logFile(name), "utf8");

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !condition() && Date.now() < deadline;) await delay(5);
  assert.ok(condition());
}

/** The kernel keeps a dead process's number until its parent has asked for its end. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe("background processes", () => {
  const started = new Set<string>();
  const run = (name: string, script: string, env?: NodeJS.ProcessEnv): number => {
    started.add(name);
    return start({ name, command: ["sh", "-c", script], ...(env === undefined ? {} : { env }) });
  };
  after(() => Promise.all([...started].map((name) => stop(name, 0))));

  it("are started once, found by another call, and stopped", async () => {
    assert.equal(runningPid("sleeper"), undefined);
    const pid = run("sleeper", "exec sleep 60");
    assert.equal(runningPid("sleeper"), pid);
    assert.equal(run("sleeper", "exec sleep 60"), pid);
    await stop("sleeper");
    assert.equal(runningPid("sleeper"), undefined);
    assert.equal(existsSync(pidFile("sleeper")), false);
    await until(() => isGone(pid));
    await stop("sleeper");
  });

  it("write to a log that only their owner reads, with the environment that they are given", async () => {
    run("logger", 'echo "got $GREETING"; echo problem >&2', { GREETING: "hello" });
    await until(() => runningPid("logger") === undefined);
    assert.equal(log("logger"), "got hello\nproblem\n");
    for (const file of [logFile("logger"), pidFile("logger")])
      assert.equal(statSync(file).mode & 0o777, 0o600);
    run("logger", "echo afresh");
    await until(() => log("logger") === "afresh\n");
  });

  it("are killed when they do not end politely", async () => {
    const pid = run("stubborn", 'trap "" TERM; echo ready; while true; do sleep 0.05; done');
    await until(() => log("stubborn") !== "");
    await stop("stubborn", 0.1);
    await until(() => isGone(pid));
  });

  it("are not taken for another process that has their old id", async () => {
    const pid = run("reused", "exec sleep 60");
    const content = readFileSync(pidFile("reused"), "utf8");
    writeFileSync(pidFile("reused"), `${pid} 1\n`);
    assert.equal(runningPid("reused"), undefined);
    await stop("reused");
    process.kill(pid, 0);
    writeFileSync(pidFile("reused"), content);
    assert.equal(runningPid("reused"), pid);
  });

  for (const content of ["", "nonsense", "999999999 1", "-1 1"]) {
    it(`are not running by a pid file of ${JSON.stringify(content)}`, async () => {
      run("earlier", "true");
      await until(() => runningPid("earlier") === undefined);
      writeFileSync(pidFile("earlier"), content);
      assert.equal(runningPid("earlier"), undefined);
      await stop("earlier");
    });
  }

  it("that cannot be started are named", () => {
    assert.throws(
      () => start({ name: "missing", command: ["/nonexistent/program"] }),
      (error) => error instanceof Failure && error.message === "/nonexistent/program cannot be started",
    );
    assert.equal(runningPid("missing"), undefined);
  });

  it("are waited for until they answer", async () => {
    run("answering", "exec sleep 60");
    let asked = 0;
    await waitUntilReady("answering", () => Promise.resolve(++asked === 2), 5);
    assert.equal(asked, 2);
  });

  it("that end while they start show the last lines of their log", async () => {
    run("failing", "for i in $(seq 30); do echo line $i; done; echo fatal: no disk >&2; exit 3");
    await until(() => runningPid("failing") === undefined);
    await assert.rejects(
      waitUntilReady("failing", () => Promise.resolve(false), 5),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.message, "failing ended while it was starting");
        assert.ok(error.remedy.includes(logFile("failing")));
        assert.equal(error.details.length, 15);
        assert.equal(error.details.at(-1), "fatal: no disk");
        return true;
      },
    );
  });

  it("that never answer are given up, with the last lines of their log", async () => {
    run("silent", "echo still thinking; exec sleep 60");
    await until(() => log("silent") !== "");
    await assert.rejects(
      waitUntilReady("silent", () => Promise.resolve(false), 0),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.message, "silent is not ready after 0 s");
        assert.deepEqual(error.details, ["still thinking"]);
        return true;
      },
    );
  });
});
