import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { nonEmpty } from "../runtime/properties";

/** How much of a failed command's output is shown where it has no summary of its own, in lines. */
const TAIL_LINES = 40;

export interface DockerOptions {
  /** Added to the process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to the command's standard input. */
  readonly input?: string;
  /** Told each line of output as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The Docker CLI: `TEMPORAL_STACK_DOCKER` or `DOCKER` name another executable than `docker` on PATH. */
export function dockerProgram(): string {
  return nonEmpty(process.env["TEMPORAL_STACK_DOCKER"]) ?? nonEmpty(process.env["DOCKER"]) ?? "docker";
}

/**
 * The part of a build's output that tells what failed: all that BuildKit's failing step printed, as far as it fits
 * (BuildKit's own summary leaves out what it has printed already), else the end.
 */
export function failingPart(lines: readonly string[]): string {
  const step = lines.map((line) => /^#\d+ (?=ERROR: )/.exec(line)?.[0]).find((found) => found !== undefined);
  if (step === undefined) return lines.slice(-TAIL_LINES).join("\n");
  const [title = "", ...output] = lines
    .filter((line) => line.startsWith(step))
    .map((line) => line.slice(step.length).replace(/^\d+\.\d+ /, ""))
    .filter((line) => !/^sha256:[0-9a-f]{64}$/.test(line));
  return [title, ...output.slice(-TAIL_LINES)].join("\n");
}

/**
 * Runs the Docker CLI.
 *
 * @param args Arguments; the first ones name the command in errors.
 * @returns Standard output.
 * @throws Error with the part of the output that says what failed.
 */
export async function docker(args: readonly string[], options: DockerOptions): Promise<string> {
  const program = dockerProgram();
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
    signal: options.signal,
  });
  const lines: string[] = [];
  const output: string[] = [];
  const listen = (stream: NodeJS.ReadableStream, also: string[] | undefined): void => {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      also?.push(line);
      if (line.trim() !== "") options.onLine?.(line);
    });
  };
  listen(child.stdout, output);
  listen(child.stderr, undefined);
  child.stdin.on("error", () => {
    // The command may end without reading its input; its exit code says what happened.
  });
  child.stdin.end(options.input ?? "");

  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", (error) => {
      const missing = "code" in error && error.code === "ENOENT";
      reject(
        missing
          ? new Error(`${program} was not found: install the Docker CLI or name it in TEMPORAL_STACK_DOCKER`)
          : error,
      );
    });
  });
  if (code === 0) return output.join("\n");
  throw new Error(
    `docker ${args[0] ?? ""} failed (${code === null ? "ended" : `exit code ${String(code)}`}):\n${failingPart(lines)}`,
  );
}
