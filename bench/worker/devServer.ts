import { tmpdir } from "node:os";
import { execa } from "execa";
import { Failure } from "../../common/failure";
import { commandPath, isInstalled } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { BackgroundProcess, freePort } from "./process";

const cli = commandPath(programs.temporal);
/** Nothing of the user's own configuration of the CLI. */
const env = { HOME: tmpdir() };

/** A Temporal server for measurements: on free ports of the loopback address, with its data in memory. */
export class DevServer {
  readonly namespace = "default";

  private constructor(
    readonly address: string,
    private readonly server: BackgroundProcess,
  ) {}

  /** @throws Failure when the Temporal CLI is not there, or its server does not get ready */
  static async start(): Promise<DevServer> {
    if (!isInstalled(programs.temporal)) {
      throw new Failure("the Temporal CLI is not installed yet", "run npm run up first: it provides it");
    }
    const port = await freePort();
    const server = new DevServer(
      `127.0.0.1:${port}`,
      new BackgroundProcess({
        name: "the Temporal dev server",
        command: [
          cli,
          ...["server", "start-dev", "--headless", "--log-level", "error"],
          ...["--ip", "127.0.0.1", "--port", String(port)],
        ],
        env,
      }),
    );
    try {
      await server.server.until(async () => {
        await server.cli("operator", "namespace", "describe", "--namespace", server.namespace);
        return true;
      });
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Asks the server by its own CLI; gives what that prints. */
  async cli(...args: string[]): Promise<string> {
    const { stdout } = await execa(cli, [...args, "--address", this.address], {
      env: { PATH: process.env["PATH"], ...env },
      extendEnv: false,
    });
    return stdout;
  }

  /** See `BackgroundProcess`. */
  cpuSeconds(): Promise<number> {
    return this.server.cpuSeconds();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
