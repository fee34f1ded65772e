import { execa } from "execa";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { Failure } from "../../common/failure";
import { checkout } from "../../common/paths";
import { mutated } from "./mutations";
import type { Fate, Mutant } from "./report";

/** A single test of the worker has 5 s; a file with all of them that takes longer than this hangs. */
const UNIT_TIMEOUT_MS = 60_000;
const SERVER_TIMEOUT_MS = 600_000;

/** A copy of the worker's package in which one mutant at a time is tried. */
export class Lane {
  private constructor(
    private readonly folder: string,
    readonly root: string,
  ) {}

  static async open(): Promise<Lane> {
    const folder = await mkdtemp(join(tmpdir(), "temporal-stack-mutants-"));
    const root = join(folder, "worker");
    await mkdir(root);
    for (const name of ENTRIES)
      await cp(join(checkout, "worker", name), join(root, name), { recursive: true });
    await cp(join(checkout, "docs"), join(folder, "docs"), { recursive: true });
    await symlink(join(checkout, "worker", "node_modules"), join(root, "node_modules"));
    return new Lane(folder, root);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @throws Failure when a test fails without any mutant, which would count as noticed */
  async requireGreen(tests: readonly string[]): Promise<void> {
    for (const test of tests) {
      if ((await this.unit(test)) === "survived") continue;
      throw new Failure(
        `worker/${test} fails without a mutant`,
        `npm --prefix worker test -- --spec ${test}`,
      );
    }
  }

  /** Compiles what tests with a server run. @throws Failure when the worker itself does not compile */
  async build(): Promise<void> {
    const { exitCode, all } = await execa("npm", ["run", "--silent", "build"], {
      cwd: this.root,
      all: true,
      reject: false,
    });
    if (exitCode !== 0)
      throw new Failure("the worker cannot be built", "npm --prefix worker run build", [all]);
  }

  /** Tries a mutant on test files, one after the other until one fails. */
  tryUnits(mutant: Mutant, tests: readonly string[]): Promise<Fate> {
    return this.with(mutant, async () => {
      for (const test of tests) {
        const fate = await this.unit(test);
        if (fate !== "survived") return fate;
      }
      return tests.length === 0 ? "none" : "survived";
    });
  }

  /** Tries a mutant on the tests with a Temporal server. */
  tryServer(mutant: Mutant, temporalCli: string, tests: readonly string[]): Promise<Fate> {
    return this.with(mutant, async (text) => {
      const lib = join(this.root, mutant.file.replace(/^src\//, "lib/").replace(/\.ts$/, ".js"));
      const before = await readFile(lib, "utf8");
      try {
        await writeFile(lib, compiled(text));
        const bundled = await execa("node", ["scripts/bundle.mjs"], { cwd: this.root, reject: false });
        if (bundled.exitCode !== 0) return "killed";
        const args = ["--no-config", "--require", "sucrase/register/ts", "--timeout", "120000"];
        for (const test of tests) {
          const fate = await this.mocha([...args, test], SERVER_TIMEOUT_MS, {
            TEMPORAL_CLI_PATH: temporalCli,
          });
          if (fate !== "survived") return fate;
        }
        return "survived";
      } finally {
        await writeFile(lib, before);
      }
    });
  }

  private async with(mutant: Mutant, trial: (text: string) => Promise<Fate>): Promise<Fate> {
    const path = join(this.root, mutant.file);
    const before = await readFile(path, "utf8");
    try {
      const text = mutated(before, mutant.mutation);
      await writeFile(path, text);
      return await trial(text);
    } finally {
      await writeFile(path, before);
    }
  }

  private unit(test: string): Promise<Fate> {
    const args = ["--no-config", "--require", "sucrase/register/ts", "--timeout", "5000"];
    return this.mocha([...args, test], UNIT_TIMEOUT_MS, {});
  }

  /** In a process group of its own, as a test that hangs may have started programs. */
  private async mocha(
    args: readonly string[],
    timeoutMs: number,
    env: Record<string, string>,
  ): Promise<Fate> {
    const child = execa(
      "node",
      [join(checkout, "worker/node_modules/mocha/bin/mocha.js"), "--bail", "--exit", ...args],
      {
        cwd: this.root,
        env,
        detached: true,
        stdio: "ignore",
        reject: false,
      },
    );
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // Nothing of it runs any more.
      }
    };
    const late = AbortSignal.timeout(timeoutMs);
    late.addEventListener("abort", end);
    process.once("exit", end);
    const { exitCode } = await child;
    late.removeEventListener("abort", end);
    process.removeListener("exit", end);
    end();
    return late.aborted ? "timeout" : exitCode === 0 ? "survived" : "killed";
  }
}

const ENTRIES = [
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "Dockerfile",
  "README.md",
  "scripts",
  "src",
  "test",
];

const compiled = (text: string): string =>
  ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
    },
  }).outputText;
