import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { contents } from "../../common/processes";
import { Failure, lastLines } from "../../common/failure";
import { processorTicks, ticksPerSecond } from "../ticks";

/** A TCP port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return address.port;
}

/** What a process is started with. */
export interface Start {
  /** In messages. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment, beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that runs in the background until it is stopped. */
export class BackgroundProcess {
  private output = "";
  private readonly child;
  private readonly exited: Promise<void>;

  constructor(private readonly start: Start) {
    const [program, ...args] = start.command;
    this.child = execa(program, args, {
      ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
      env: { PATH: process.env["PATH"], ...start.env },
      extendEnv: false,
      stdin: "ignore",
      all: true,
      buffer: false,
      reject: false,
    });
    this.child.all.on(
      "data",
      (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-20_000)),
    );
    this.exited = this.child.then(() => undefined);
  }

  /**
   * Waits until something can be seen of the process.
   *
   * @param withinSeconds the longest wait, default 60
   * @throws Failure with its last lines when it has ended, or when nothing can be seen in time
   */
  async until(look: () => Promise<boolean>, withinSeconds = 60): Promise<void> {
    const giveUpAt = Date.now() + withinSeconds * 1_000;
    while (!(await look().catch(() => false))) {
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > giveUpAt) {
        throw new Failure(
          `${this.start.name} did not get ready`,
          "the lines above name the cause",
          lastLines(this.output),
        );
      }
      await delay(50);
    }
  }

  /** Whether a text is in its last lines. */
  hasPrinted(text: string): boolean {
    return this.output.includes(text);
  }

  /** The most memory that the process has had so far, in MiB: all of it, native memory and every thread. Linux. */
  get peakMebibytes(): number {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(contents(this.child.pid ?? 0, "status"))?.[1];
    if (kibibytes === undefined) throw new Error(`the kernel does not tell the memory of ${this.start.name}`);
    return Number(kibibytes) / 1024;
  }

  /** Time of the processors that the process has taken so far, in seconds: of all its threads. Linux. */
  async cpuSeconds(): Promise<number> {
    return processorTicks(contents(this.child.pid ?? 0, "stat")).own / (await ticksPerSecond());
  }

  /** Ends it, by force if it takes longer than 5 s. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await Promise.race([this.exited, delay(5_000, undefined, { ref: false })]);
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
