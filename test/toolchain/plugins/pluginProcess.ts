import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ServiceError } from "@grpc/grpc-js";
import {
  type InstalledPlugin,
  type InstallOptions,
  installPlugins,
} from "../../../toolchain/plugins/install";

/*
 * Starts installed plugins as the engine does and talks to them over gRPC. They are installed once for all test
 * files, into a temporary folder.
 */

export const VERSIONS = { cli: "3.259.0", random: "4.21.2", docker: "5.2.0" };

/** Folder of everything that these tests write; removed when the test process ends. */
export const workFolder = mkdtempSync(join(tmpdir(), "plugins-"));
process.once("exit", () => {
  rmSync(workFolder, { recursive: true, force: true });
});

const sdkRoot = join(workFolder, "it's a checkout");
mkdirSync(sdkRoot);
symlinkSync(resolve(__dirname, "../../../node_modules"), join(sdkRoot, "node_modules"));

export const installOptions: InstallOptions = {
  pulumiHome: join(workFolder, "it's a home"),
  cliDirectory: join(workFolder, "it's a home", "bin"),
  sdkRoot,
  versions: VERSIONS,
};

let installation: Promise<InstalledPlugin[]> | undefined;

export function installed(): Promise<InstalledPlugin[]> {
  installation ??= installPlugins(installOptions);
  return installation;
}

export interface RunningPlugin {
  /** Where it listens. */
  readonly address: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

interface PluginOptions {
  readonly engine?: string;
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a plugin and reads the port that it announces.
 *
 * @param engine Address given to it as the engine's.
 */
export async function startPlugin(
  name: "nodejs" | "random" | "docker",
  options: PluginOptions = {},
): Promise<RunningPlugin> {
  const plugin = (await installed()).find((candidate) => candidate.name === name);
  if (!plugin) throw new Error(`plugin ${name} was not installed`);
  return startExecutable(plugin.executable, options);
}

/** Starts the program of a plugin. */
export async function startExecutable(
  executable: string,
  options: PluginOptions = {},
): Promise<RunningPlugin> {
  const child = spawn(executable, [options.engine ?? "127.0.0.1:1"], {
    cwd: options.directory ?? workFolder,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stdout }).once("line", found);
    child.once("exit", (code) => {
      failed(new Error(`plugin ${executable} ended with ${String(code)} before it announced a port`));
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    process: child,
    stop: () =>
      new Promise((done) => {
        child.removeAllListeners("exit");
        child.once("exit", () => {
          done();
        });
        child.kill("SIGINT");
      }),
  };
}

/** Turns a unary gRPC method into a promise. */
export function call<Response>(
  invoke: (callback: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolved, rejected) => {
    invoke((error, response) => {
      if (error) rejected(new Error(error.details));
      else resolved(response);
    });
  });
}
