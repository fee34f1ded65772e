import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import "./folders";
import { start, stop } from "../../local/cluster/native/process";
import { Failure } from "../../common/failure";
import { checkMachine } from "../../local/preflight";

const reportSchema = z.object({ message: z.string(), remedy: z.string(), details: z.array(z.string()) });
const NOBODY = 65534;

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { server, port: address.port };
}

/** The port's problems; whether this machine has disk enough is no matter of the test. */
async function portProblems(port: number): Promise<string[]> {
  try {
    await checkMachine({ way: "context", buildSeconds: 0, ports: [port] });
    return [];
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error.details.filter((problem) => problem.includes("port"));
  }
}

/** A machine with every problem at once, as far as this user may make one. */
class PoorMachine {
  private readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-preflight-"));
  private readonly isRoot = process.getuid?.() === 0;
  private readonly disk = join(this.folder, "disk");
  readonly hasSmallDisk: boolean;

  constructor() {
    mkdirSync(this.disk);
    for (const folder of [this.folder, this.disk]) chmodSync(folder, 0o777);
    const mount = ["-t", "tmpfs", "-o", "size=1m,mode=1777", "tmpfs", this.disk];
    this.hasSmallDisk = this.isRoot && spawnSync("mount", mount).status === 0;
  }

  /** The preflight's problems there, when this port is one that it needs. */
  async report(port: number): Promise<z.infer<typeof reportSchema>> {
    const script = join(__dirname, "checkMachine.ts");
    const user = this.isRoot ? [String(NOBODY)] : [];
    const { stdout, stderr } = await execa(
      process.execPath,
      ["--require", "sucrase/register/ts", script, String(port), ...user],
      {
        reject: false,
        env: {
          PATH: this.folder,
          TEMPORAL_STACK_CACHE: join(this.disk, "cache"),
          TEMPORAL_STACK_STATE: join(this.folder, "state-".repeat(15)),
        },
      },
    );
    return stdout === ""
      ? { message: stderr, remedy: "", details: [] }
      : reportSchema.parse(JSON.parse(stdout));
  }

  remove(): void {
    if (this.hasSmallDisk) assert.equal(spawnSync("umount", [this.disk]).status, 0);
    rmSync(this.folder, { recursive: true });
  }
}

let machine: PoorMachine;
let taken: Awaited<ReturnType<typeof listen>>;
let reported: ReturnType<PoorMachine["report"]>;

// Another process works on it while the tests of other files run.
before(async () => {
  machine = new PoorMachine();
  taken = await listen();
  reported = machine.report(taken.port);
});
after(() => {
  taken.server.close();
  machine.remove();
});

describe("preflight", () => {
  let report: Awaited<typeof reported>;
  before(async () => {
    report = await reported;
  });

  const problems = (): readonly string[] => report.details;

  it("names all problems at once, each one once", () => {
    assert.match(report.message, new RegExp(`^this machine is not ready, for ${problems().length} reasons$`));
    assert.match(report.remedy, /run the command again/);
    assert.equal(new Set(problems()).size, problems().length);
  });

  const expected: readonly [title: string, problem: RegExp][] = [
    ["a user who is not root", /needs root: use sudo, start Docker for kind, or use --context NAME$/],
    ["a missing Go", /^Go is not on PATH.*: install Go [\d.]+ or newer$/],
    [
      "a path too long for sockets",
      /^the state folder's path is longer than 77 characters: set TEMPORAL_STACK_STATE$/,
    ],
    [
      "a port that is taken",
      /^port \d+ on 127\.0\.0\.1 is taken: find its owner with ss -tlnp 'sport = :\d+'$/,
    ],
  ];
  for (const [title, problem] of expected) {
    it(`reports ${title}`, () => {
      assert.equal(problems().filter((line) => problem.test(line)).length, 1, problems().join("\n"));
    });
  }

  it("reports a disk that is too small", function () {
    if (!machine.hasSmallDisk) {
      console.warn("NOT TESTED: a small disk needs the right to mount one");
      this.skip();
    }
    const problem =
      "/disk/cache needs 20 GiB of free disk, there are 0.0 GiB: free some, or set TEMPORAL_STACK_CACHE";
    assert.equal(problems().filter((line) => line.endsWith(problem)).length, 1, problems().join("\n"));
  });

  it("lets a free port pass, and those of the port-forward that runs already", async () => {
    const free = await listen();
    await new Promise((closed) => free.server.close(closed));
    assert.deepEqual(await portProblems(free.port), []);
    assert.equal((await portProblems(taken.port)).length, 1);
    start({ name: "port-forward", command: ["sleep", "60"] });
    try {
      assert.deepEqual(await portProblems(taken.port), []);
    } finally {
      await stop("port-forward");
    }
  });
});
