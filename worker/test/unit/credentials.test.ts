import assert from "node:assert/strict";
import { mock } from "node:test";
import type { NativeConnection, Worker } from "@temporalio/worker";
import type { WorkerConfig } from "../../src/config";
import { followCredentials } from "../../src/credentials";
import type { Frontend } from "../../src/frontend";
import type { Logger } from "../../src/logger";

describe("credentials that change on disk", () => {
  const renewed = { name: "renewed" } as unknown as NativeConnection;
  let answer: () => boolean;
  let logged: string[];
  let workers: { connection?: NativeConnection }[];
  let stop: AbortController;
  let end: () => void;

  /** The next look and all that follows from it. */
  const look = async (): Promise<void> => {
    mock.timers.tick(10_000);
    await new Promise(setImmediate);
  };

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    [logged, workers, stop] = [[], [{}, {}], new AbortController()];
    const frontend: Pick<Frontend, "renew"> = {
      renew: async (_, use) => {
        const isNew = answer();
        if (isNew) use(renewed);
        return isNew;
      },
    };
    const logger = {
      info: (message: string) => logged.push(message),
      error: (_: unknown, message: string) => logged.push(message),
    };
    end = followCredentials(
      { connection: { address: "temporal:7233" }, namespace: "shop" } as WorkerConfig,
      workers as unknown as Worker[],
      frontend as Frontend,
      stop.signal,
      logger as unknown as Logger,
    );
  });
  afterEach(() => {
    end();
    mock.timers.reset();
  });

  it("are looked for again and again, and given to every worker", async () => {
    answer = () => false;
    await look();
    assert.deepEqual(workers, [{}, {}]);
    answer = () => true;
    await look();
    assert.deepEqual(workers, [{ connection: renewed }, { connection: renewed }]);
    assert.deepEqual(logged, ["connected anew, with the credentials that changed on disk"]);
  });

  it("are said not to work once, and again after they did", async () => {
    const fails = () => {
      throw new Error("UNAUTHENTICATED");
    };
    for (const next of [fails, fails, () => false, fails]) {
      answer = next;
      await look();
    }
    assert.equal(logged.length, 2);
    assert.match(
      logged[0] ?? "",
      /changed on disk do not work, the old ones stay: the server wants an API key/,
    );
    stop.abort();
    answer = () => {
      throw new Error("aborted");
    };
    await look();
    assert.equal(logged.length, 2, "an abort is no failure");
  });

  it("are not looked for before their time, and not after the end", async () => {
    let looks = 0;
    answer = () => (looks += 1) < 0;
    mock.timers.tick(9_999);
    await new Promise(setImmediate);
    assert.equal(looks, 0);
    mock.timers.tick(1);
    await new Promise(setImmediate);
    assert.equal(looks, 1);
    end();
    await look();
    assert.equal(looks, 1);
  });
});
