import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa, execaSync } from "execa";
import { z } from "zod";
import { adminKubeconfig } from "../../local/cluster/native/pki";
import { recordedCluster } from "../../common/localStack";
import { environmentFile } from "../../common/localStack";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { type Section, sectionSchema, StackFile } from "./stackFile";

/** The checkout itself. */
export const repository = resolve(__dirname, "../..");

/** A copy of the checkout whose stack file a test may change, with the same installed packages. */
export const checkout = copyOfCheckout();

export function copyOfCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-e2e-"));
  const { stdout } = execaSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: repository,
  });
  for (const file of stdout.split("\n").filter((name) => existsSync(join(repository, name)))) {
    cpSync(join(repository, file), join(folder, file));
  }
  for (const packages of ["node_modules", "worker/node_modules"]) {
    symlinkSync(join(repository, packages), join(folder, packages));
  }
  return folder;
}

export interface Finished {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** Runs a command in the copied checkout, as a user would; never throws. */
export async function run(
  command: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly timeout?: number } = {},
): Promise<Finished> {
  const [program, ...args] = command;
  const { exitCode, all } = await execa(program ?? "", args, {
    cwd: checkout,
    reject: false,
    all: true,
    stdin: "ignore",
    ...options,
  });
  return { exitCode, output: all };
}

/** Runs a command that has to succeed and returns what it printed. */
export async function succeed(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { exitCode, output } = await run(command, { env });
  assert.equal(exitCode, 0, `${command.join(" ")} ended with ${String(exitCode)}:\n${output}`);
  return output;
}

/** Starts a command and kills it, with its children, as soon as it prints a text. */
export async function killedAt(text: string, command: readonly string[]): Promise<void> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: checkout,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  for await (const chunk of child.stdout) if (String(chunk).includes(text)) break;
  assert.equal(child.exitCode, null, `${command.join(" ")} ended before it printed "${text}"`);
  process.kill(-(child.pid ?? 0), "SIGKILL");
}

/** The environment that `npm run up` tells people to source. */
export function sourcedEnvironment(): NodeJS.ProcessEnv {
  const { stdout } = execaSync("sh", ["-c", `. ${environmentFile} && env -0`]);
  const entries = stdout
    .split("\0")
    .filter((entry) => entry.includes("="))
    .map((entry): [string, string] => [
      entry.slice(0, entry.indexOf("=")),
      entry.slice(entry.indexOf("=") + 1),
    ]);
  return Object.fromEntries(entries);
}

/** Runs the Pulumi CLI the way the README says: `source` the environment, then `npx pulumi`. */
export const pulumi = (...args: string[]): Promise<Finished> =>
  run(
    [
      ...["npx", "pulumi", ...args, "--stack", recordedCluster()?.stack ?? ""],
      ...["--non-interactive", "--color", "never"],
    ],
    { env: sourcedEnvironment() },
  );

export async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await execa(commandPath(programs.kubernetes, "kubectl"), [
    "--kubeconfig",
    adminKubeconfig,
    ...args,
  ]);
  return stdout;
}

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
        deletionTimestamp: z.string().optional(),
      }),
      spec: z.record(z.string(), z.unknown()),
      status: z.object({ podIP: z.string().optional(), phase: z.string().optional() }),
    }),
  ),
});
export type Pod = z.infer<typeof podList>["items"][number];

/** The pods of a namespace that run and are not on their way out. */
export async function podsOf(namespace: string): Promise<Pod[]> {
  const { items } = podList.parse(
    JSON.parse(await kubectl("get", "pods", "--namespace", namespace, "--output=json")),
  );
  return items.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === "Running",
  );
}

const workersSchema = z.array(sectionSchema).nonempty();
const localStack = new StackFile(repository, checkout, "local");

/** Lays settings over the first worker group in the copied checkout's stack file. */
export function changeWorker(settings: Section): void {
  localStack.change("workers", (workers) => {
    const [first, ...others] = workersSchema.parse(workers);
    return [{ ...first, ...settings }, ...others];
  });
}

/** Lays settings over those of the worker image in the copied checkout's stack file. */
export function changeImage(settings: Section): void {
  localStack.layOver({ workerImage: settings });
}

/** Replaces the settings of payload encryption in the copied checkout's stack file. */
export function changeEncryption(settings: Section): void {
  localStack.change("payloadEncryption", () => settings);
}

/** Undoes every change of the stack file. */
export const restoreStackFile = (): void => {
  localStack.restore();
};

const orderSchema = z.object({
  workflowId: z.string(),
  status: z.string(),
  failure: z.array(z.string()).optional(),
});

/** Runs the worker's client as `npm run order` does; a line for each order. */
export async function orderCommand(...args: string[]): Promise<Finished & { readonly lines: unknown[] }> {
  const finished = await run(["npm", "run", "--silent", "order", "--", "--json", ...args], {
    env: sourcedEnvironment(),
  });
  const lines = finished.output.split("\n").filter((line) => line.startsWith("{"));
  return { ...finished, lines: lines.map((line): unknown => JSON.parse(line)) };
}

/** Starts orders, or awaits them. */
export async function order(
  ...args: string[]
): Promise<{ exitCode: number | undefined; orders: z.infer<typeof orderSchema>[] }> {
  const { exitCode, lines } = await orderCommand(...args);
  return { exitCode, orders: lines.map((line) => orderSchema.parse(line)) };
}
