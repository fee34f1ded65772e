import assert from "node:assert/strict";
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { allComplete, holdOrders, release } from "./orders";
import {
  changeWorker,
  checkout,
  type Finished,
  order,
  podsOf,
  pulumi,
  repository,
  restoreStackFile,
  run,
  sourcedEnvironment,
} from "./support";

const RUNNING_ORDERS = 3;
const GATEWAYS = "worker/src/domain/sample-gateways.ts";

/** A command of day two, in the copied checkout, as its users run it. */
const ops = (name: string, ...args: string[]): Promise<Finished> =>
  run(["npm", "run", "--silent", name, "--", "-s", "local", ...args], { env: sourcedEnvironment() });

/** Git in the copied checkout, which is made a repository for this. */
const git = (...args: string[]): string =>
  execaSync("git", ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.com", ...args], {
    cwd: checkout,
  }).stdout;

function commit(message: string): string {
  git("add", "--all");
  git("commit", "--quiet", "--no-verify", "--message", message);
  return git("rev-parse", "HEAD");
}

async function deploy(message: string): Promise<void> {
  const { exitCode, output } = await pulumi("up", "--yes", "--skip-preview", "--message", message);
  assert.equal(exitCode, 0, output);
}

async function workerImage(): Promise<string> {
  const { output } = await pulumi("stack", "output", "workerImage");
  return output.trim().split("\n").at(-1) ?? "";
}

/** Images that the workers' pods run. */
async function runningImages(): Promise<string[]> {
  const pods = await podsOf("temporal-workers");
  return pods.flatMap(({ spec }) => {
    const containers = spec["containers"];
    return Array.isArray(containers) ? containers.map((container: { image: string }) => container.image) : [];
  });
}

describe("npm run rollback", () => {
  let first: string;
  let second: string;
  let firstImage: string;
  let secondImage: string;
  let ids: string[];

  before("version 1 is deployed, with orders that wait", async () => {
    git("init", "--quiet");
    appendFileSync(join(checkout, ".git/info/exclude"), "node_modules\n");
    first = commit("Version 1");
    await deploy("version 1");
    firstImage = await workerImage();
    ids = await holdOrders(RUNNING_ORDERS);
  });

  after("the checkout is as it was", () => {
    cpSync(join(repository, GATEWAYS), join(checkout, GATEWAYS));
    restoreStackFile();
    rmSync(join(checkout, ".git"), { recursive: true });
  });

  it("has something to go back from: a version whose orders fail", async () => {
    const file = join(checkout, GATEWAYS);
    const broken = readFileSync(file, "utf8").replace(
      "payment.cardToken === DECLINED_CARD",
      "payment.cardToken !== DECLINED_CARD",
    );
    assert.match(broken, /!== DECLINED_CARD/);
    writeFileSync(file, broken);
    changeWorker({ logLevel: "debug" });
    second = commit("Version 2");
    await deploy("version 2");
    secondImage = await workerImage();
    assert.notEqual(secondImage, firstImage);
    const { exitCode, orders } = await order();
    assert.equal(exitCode, 1);
    assert.match(JSON.stringify(orders), /CardDeclined/);
  });

  it("--worker-only swaps the image of the workers at once", async () => {
    const { exitCode, output } = await ops(
      "rollback",
      ...["--worker-only", "--skip-replay", "--yes", "--reason", "orders fail"],
    );
    assert.equal(exitCode, 0, output);
    assert.equal(await workerImage(), firstImage);
    assert.deepEqual([...new Set(await runningImages())], [firstImage]);
  });

  it("keeps the image that was left behind from coming back, unasked", async () => {
    const { exitCode, output } = await pulumi("up", "--yes", "--skip-preview");
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /what worker\/ is built into is in quarantine since .*: orders fail/);
    assert.match(output, /Nothing was changed/);
    assert.equal(await workerImage(), firstImage);
  });

  it("restores the program and its settings, too, after open orders were replayed", async () => {
    // Named, as the update that was refused was the last one: without a name it is the last that succeeded.
    const { exitCode, output } = await ops("rollback", "--yes", "--to", first);
    assert.equal(exitCode, 0, output);
    assert.match(output, new RegExp(`back to commit ${first.slice(0, 12)} of`));
    assert.match(output, /orders: \d+ open on .*, 0 break/);
    assert.deepEqual([...new Set(await runningImages())], [firstImage]);
    assert.equal(git("rev-parse", "HEAD"), second);
    assert.equal(git("worktree", "list").split("\n").length, 1);
    const { exitCode: verified } = await order();
    assert.equal(verified, 0);
  });

  it("leaves the orders alone that ran all the while", async () => {
    await release(ids);
    await allComplete(ids);
  });

  it("is told by the history", async () => {
    const { exitCode, output } = await ops("history");
    assert.equal(exitCode, 0, output);
    assert.match(output, /update +failed /);
    const [back = "", worker = "", broken = "", good = ""] = output
      .split("\n")
      .filter((line) => line.includes(" succeeded "));
    const digest = (image: string): string => image.replace(/^.*@sha256:/, "").slice(0, 12);
    const told: readonly [line: string, commit: string, image: string, message: string][] = [
      [back, first, digest(firstImage), `rollback to commit ${first.slice(0, 12)}`],
      [worker, second, digest(firstImage), "rollback of the workers to commit"],
      [broken, second, `${digest(secondImage)} quarantine`, "version 2"],
      [good, first, digest(firstImage), "version 1"],
    ];
    for (const [line, from, image, message] of told) {
      for (const part of ["succeeded", from.slice(0, 12), image, message]) {
        assert.ok(line.includes(part), `no "${part}" in "${line}" of\n${output}`);
      }
    }
  });

  it("finds nothing to recover", async () => {
    const { exitCode, output } = await ops("recover");
    assert.equal(exitCode, 0, output);
    assert.match(output, /nothing was left behind/);
  });
});
