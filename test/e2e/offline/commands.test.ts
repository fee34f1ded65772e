import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { exitCodes } from "../../../common/exitCodes";
import { checkout } from "../../../common/paths";
import { tools } from "../../../settings/versions";

/** The commands of day two; what they take besides a stack to be complete. */
const needed: Readonly<Record<string, readonly string[]>> = {
  deployer: ["--user", "ann"],
  keys: ["list", "-s", "local"],
  promote: ["--from", "local", "--to", "prod", "--dry-run"],
};
const commands = readdirSync(join(checkout, "ops"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replace(/\.ts$/, ""));

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, ["--require", "sucrase/register/ts", `ops/${command}.ts`, ...args], {
    cwd: checkout,
    env,
    reject: false,
    all: true,
    stdin: "ignore",
  });

describe("every command of day two", () => {
  for (const command of commands) {
    it(`${command}: takes a stack, shows an example, and has the exit code of wrong arguments`, async () => {
      const help = await run(command, ["--help"]);
      assert.equal(help.exitCode, exitCodes.ok);
      assert.match(help.stdout, /Examples?: npm run /);
      if (command === "promote") assert.match(help.stdout, /--from <stack>.*--to <stack>/s);
      else assert.match(help.stdout, /-s, --stack <name>/);
      if (help.stdout.includes("do not ask")) assert.match(help.stdout, /-y, --yes/);
      const wrong = await run(command, ["--no-such-flag"]);
      assert.equal(wrong.exitCode, exitCodes.usage, wrong.all);
    });
  }
});

/** Notes each call, and answers that the backend has no such stack. */
const program = (calls: string): string => `#!/bin/sh
echo "$0" >> '${calls}'
echo "error: no stack named 'x' found" >&2
exit 255
`;

describe("a stack that npm run up deployed", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-commands-"));
  const calls = join(folder, "calls");
  const own = join(folder, "cache/tools/pulumi", tools.pulumi, "pulumi");
  const other = join(folder, "bin/pulumi");
  const environment = {
    PATH: [join(folder, "bin"), process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: undefined,
    PULUMI_HOME: undefined,
    TEMPORAL_STACK_CACHE: join(folder, "cache"),
    TEMPORAL_STACK_STATE: join(folder, "state"),
  };
  /** Without those that open no stack, or open another one first. */
  const opening = commands.filter((command) => !/^(conform|deployer|rotate)$/.test(command));

  before(() => {
    for (const path of [own, other]) {
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, program(calls), { mode: 0o755 });
    }
    mkdirSync(environment.TEMPORAL_STACK_STATE);
    const cluster = {
      ...{ description: "a cluster", kubeconfig: join(folder, "kubeconfig"), context: "test" },
      ...{ networkPolicies: "unknown", imageEnvironment: {}, settings: {} },
    };
    writeFileSync(
      join(environment.TEMPORAL_STACK_STATE, "cluster.json"),
      JSON.stringify({ way: "native", stack: "local", cluster }),
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  const programsOf = async (command: string, stack: string): Promise<string[]> => {
    writeFileSync(calls, "");
    const args = needed[command]?.map((arg) => (arg === "local" ? stack : arg)) ?? ["-s", stack];
    const { exitCode, all } = await run(command, args, environment);
    assert.notEqual(exitCode, exitCodes.ok, all);
    return [...new Set(readFileSync(calls, "utf8").trim().split("\n"))];
  };

  for (const command of opening) {
    it(`${command}: is opened by its own CLI from any shell, and any other stack by the CLI on PATH`, async () => {
      assert.deepEqual(await programsOf(command, "local"), [own]);
      assert.deepEqual(await programsOf(command, "dev"), [other]);
    });
  }
});
