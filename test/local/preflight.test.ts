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
import { Failure } from "../../local/failure";
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
    await checkMachine({ way: "context", mustBuild: false, ports: [port] });
    return [];
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error.details.filter((problem) => problem.includes("port"));
  }
}

describe("preflight", () => {
  const isRoot = process.getuid?.() === 0;
  let folder = "";
  let server: Server;
  let port = 0;
  let smallDisk = false;
  let report: z.infer<typeof reportSchema> | undefined;

  before(async () => {
    ({ server, port } = await listen());
    folder = mkdtempSync(join(tmpdir(), "temporal-stack-preflight-"));
    chmodSync(folder, 0o777);
    const disk = join(folder, "disk");
    mkdirSync(disk);
    chmodSync(disk, 0o777);
    smallDisk =
      isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=1777", "tmpfs", disk]).status === 0;
    const { stdout } = await execa(
      process.execPath,
      [
        ...["--require", "ts-node/register/transpile-only", join(__dirname, "checkMachine.ts")],
        JSON.stringify({ port, ...(isRoot ? { uid: NOBODY } : {}) }),
      ],
      {
        env: {
          PATH: folder,
          TEMPORAL_STACK_CACHE: join(disk, "cache"),
          TEMPORAL_STACK_STATE: join(folder, "state-".repeat(15)),
        },
      },
    );
    report = reportSchema.parse(JSON.parse(stdout));
  });

  after(() => {
    server.close();
    if (smallDisk) assert.equal(spawnSync("umount", [join(folder, "disk")]).status, 0);
    rmSync(folder, { recursive: true });
  });

  const problems = (): readonly string[] => report?.details ?? [];

  it("names all problems at once, each one once", () => {
    assert.match(
      report?.message ?? "",
      new RegExp(`^this machine is not ready, for ${problems().length} reasons$`),
    );
    assert.match(report?.remedy ?? "", /run the command again/);
    assert.equal(new Set(problems()).size, problems().length);
  });

  const expected: readonly [title: string, problem: RegExp][] = [
    ["a user who is not root", /needs root: use sudo, start Docker for kind, or use --context NAME$/],
    ["a missing Go", /^Go is not on PATH.*: install Go 1\.26 or newer$/],
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
    if (!smallDisk) {
      console.warn("NOT TESTED: a small disk needs the right to mount one");
      this.skip();
    }
    const problem =
      "/disk/cache needs 30 GiB of free disk, there are 0.0 GiB: free some, or set TEMPORAL_STACK_CACHE";
    assert.equal(problems().filter((line) => line.endsWith(problem)).length, 1, problems().join("\n"));
  });

  it("lets a free port pass, and those of the port-forward that runs already", async () => {
    const free = await listen();
    await new Promise((closed) => free.server.close(closed));
    assert.deepEqual(await portProblems(free.port), []);
    assert.equal((await portProblems(port)).length, 1);
    start({ name: "port-forward", command: ["sleep", "60"] });
    try {
      assert.deepEqual(await portProblems(port), []);
    } finally {
      await stop("port-forward");
    }
  });
});
