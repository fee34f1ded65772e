import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { Connectivity } from "../../src/connectivity";
import { startHealthServer } from "../../src/health";
import type { Checks } from "../../src/health";
import { Lifecycle, PHASES } from "../../src/lifecycle";
import { EXIT_INTERRUPTED, shutdownOnSignal } from "../../src/signals";

describe("health server", () => {
  let server: Server;
  let base: string;
  const checks: Checks = {
    "/good": () => ({ ok: true, detail: 1 }),
    "/bad": () => ({ ok: false }),
    "/broken": () => {
      throw new Error("oops");
    },
  };
  before(async () => {
    server = await startHealthServer(0, checks);
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    base = `http://127.0.0.1:${address.port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it("answers with the check’s outcome", async () => {
    const good = await fetch(`${base}/good?verbose`);
    assert.equal(good.status, 200);
    assert.deepEqual(await good.json(), { ok: true, detail: 1 });
    assert.equal(good.headers.get("cache-control"), "no-store");
    assert.equal((await fetch(`${base}/bad`)).status, 503);
    assert.deepEqual(await (await fetch(`${base}/broken`)).json(), { ok: false, error: "Error: oops" });
    const head = await fetch(`${base}/bad`, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [503, ""]);
  });

  it("knows no other path and no other method", async () => {
    assert.equal((await fetch(`${base}/`)).status, 404);
    assert.equal((await fetch(`${base}/toString`)).status, 404);
    assert.equal((await fetch(`${base}/good`, { method: "POST" })).status, 405);
  });

  it("fails when the port is taken", async () => {
    await assert.rejects(startHealthServer(Number(new URL(base).port), checks), /EADDRINUSE/);
  });
});

describe("lifecycle", () => {
  const look = (lifecycle: Lifecycle) =>
    ["/startupz", "/livez", "/readyz"].map((path) => lifecycle.checks[path]?.().ok).map(Number);

  it("makes each endpoint say what it is for", () => {
    const lifecycle = new Lifecycle();
    const seen = { worker: "RUNNING", connected: true, error: undefined as unknown };
    const connectivity = {
      get connected() {
        return seen.connected;
      },
      get error() {
        return seen.error;
      },
    };
    assert.deepEqual(look(lifecycle), [0, 1, 0]);
    lifecycle.advance("connecting");
    lifecycle.connectFailed(new Error("refused", { cause: new Error("ECONNREFUSED") }));
    assert.deepEqual(look(lifecycle), [1, 1, 0]);
    assert.equal(lifecycle.checks["/readyz"]?.()["error"], "Error: refused <- Error: ECONNREFUSED");
    lifecycle.run({ workerStates: () => ["RUNNING", seen.worker], connectivity });
    assert.deepEqual(look(lifecycle), [1, 1, 1]);
    seen.connected = false;
    seen.error = new Error("unavailable");
    assert.deepEqual(look(lifecycle), [1, 1, 0], "an outage of Temporal is no reason for a restart");
    seen.connected = true;
    seen.worker = "FAILED";
    assert.deepEqual(look(lifecycle), [1, 0, 0]);
    seen.worker = "DRAINING";
    lifecycle.advance("draining");
    assert.deepEqual(look(lifecycle), [1, 1, 0]);
  });

  it("never goes back", () => {
    for (const [index, later] of PHASES.entries()) {
      if (later === "running") continue;
      const lifecycle = new Lifecycle();
      lifecycle.advance(later);
      for (const earlier of PHASES.slice(0, index)) {
        if (earlier === "running")
          lifecycle.run({ workerStates: () => [], connectivity: { connected: true, error: undefined } });
        else lifecycle.advance(earlier);
        assert.equal(lifecycle.phase, later);
      }
    }
  });
});

describe("connectivity", () => {
  it("says once that Temporal is lost and once that it is back", async () => {
    let now = 0;
    let up = true;
    const events: string[] = [];
    const connectivity = new Connectivity({
      probe: () => (up ? Promise.resolve() : Promise.reject(new Error("unavailable"))),
      now: () => now,
      onLost: (error) => events.push(String(error)),
      onRestored: (lostForMs) => events.push(`back after ${lostForMs}`),
    });
    const tick = async () => {
      now += 10_000;
      await connectivity.check();
    };
    assert.equal(connectivity.connected, false, "before it is proven");
    await tick();
    assert.equal(connectivity.connected, true);
    up = false;
    for (let i = 0; i < 3; i++) await tick();
    assert.equal(connectivity.connected, true);
    assert.ok(connectivity.error instanceof Error);
    assert.deepEqual(events, []);
    for (let i = 0; i < 5; i++) await tick();
    assert.equal(connectivity.connected, false);
    up = true;
    await tick();
    await tick();
    assert.equal(connectivity.connected, true);
    assert.equal(connectivity.error, undefined);
    assert.deepEqual(events, ["Error: unavailable", "back after 90000"]);
  });

  it("takes a refusal as one at once", async () => {
    const events: string[] = [];
    let error: Error | undefined = new Error("UNAVAILABLE");
    const connectivity = new Connectivity({
      probe: () => (error === undefined ? Promise.resolve() : Promise.reject(error)),
      isRefusal: (failure) => String(failure).includes("PERMISSION_DENIED"),
      now: () => 0,
      onLost: (failure) => events.push(String(failure)),
      onRestored: () => events.push("restored"),
    });
    const after = async (failure: Error | undefined): Promise<boolean> => {
      error = failure;
      await connectivity.check();
      return connectivity.connected;
    };
    assert.equal(await after(undefined), true);
    assert.equal(await after(new Error("UNAVAILABLE")), true);
    assert.equal(await after(new Error("PERMISSION_DENIED")), false);
    assert.equal(await after(new Error("PERMISSION_DENIED")), false);
    assert.equal(await after(undefined), true);
    assert.deepEqual(events, ["Error: PERMISSION_DENIED", "restored"]);
  });
});

describe("signals", () => {
  it("aborts on the first and exits on the second", () => {
    const target = new EventEmitter();
    const exits: number[] = [];
    const on = (name: string, listener: () => void) => target.on(name, listener);
    const signal = shutdownOnSignal({ on: on as unknown as NodeJS.Process["on"] }, (code) =>
      exits.push(code),
    );
    assert.equal(signal.aborted, false);
    target.emit("SIGTERM");
    assert.match(String(signal.reason), /received SIGTERM/);
    assert.deepEqual(exits, []);
    target.emit("SIGINT");
    assert.deepEqual(exits, [EXIT_INTERRUPTED]);
  });
});
