import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { CONFIG_FILE_VARIABLE } from "../../settings/encryptedPlaces";
import { makeChartRepository } from "../../local/charts/archives";
import { fileServer } from "../../local/charts/server";
import { checkout } from "../../common/paths";
import { pulumiHome } from "../../common/localStack";
import { STACK_FILES } from "./stackFiles";
import { commandPath, programFolder } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";

/** A kubeconfig of no cluster: nothing listens on port 1. */
export const NO_CLUSTER = `apiVersion: v1
kind: Config
current-context: none
contexts: [{ name: none, context: { cluster: none, user: none } }]
clusters: [{ name: none, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: none, user: { token: none } }]
`;

/** What a command of the CLI ended with. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly failed: boolean;
  /** What it printed, both streams. */
  readonly output: string;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The real engine and providers with a backend of files and charts from here, and no cluster: previews of the
 * stack files anywhere.
 */
export class OfflineEngine {
  readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-offline-"));

  /** @param kubeconfig of the cluster, if there is one */
  constructor(private readonly kubeconfig = NO_CLUSTER) {}

  private readonly server = fileServer(join(this.folder, "charts"));
  /** The environment of somebody who has the CLI, a kubeconfig, and a backend of their own. */
  readonly environment = {
    KUBECONFIG: join(this.folder, "kubeconfig"),
    PATH: [programFolder(programs.pulumi), process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: `file://${join(this.folder, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase for nothing",
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_HOME: pulumiHome,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TEMPORAL_STACK_MACHINE_SETTINGS: undefined,
    // Whatever stack npm run up has on this machine is none of the engine's.
    TEMPORAL_STACK_STATE: join(this.folder, "no-state"),
  };

  /**
   * Makes empty stacks, and starts to serve the charts.
   * @throws Failure when the modules that a chart takes files of cannot be had; Error when the CLI fails
   */
  async start(...stacks: readonly string[]): Promise<void> {
    mkdirSync(join(this.folder, "backend"));
    writeFileSync(this.environment.KUBECONFIG, this.kubeconfig);
    await makeChartRepository(join(this.folder, "charts"));
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    copyFileSync(join(checkout, "Pulumi.yaml"), join(this.folder, "Pulumi.yaml"));
    for (const stack of stacks) {
      const { failed, output } = await this.pulumi(["stack", "init", stack]);
      if (failed) throw new Error(output);
    }
  }

  /** Leaves nothing. */
  stop(): void {
    this.server.close();
    rmSync(this.folder, { recursive: true });
  }

  /**
   * Runs the CLI.
   * @param cwd folder of the project file; by default one without stack files, to which the CLI writes its salt
   * @param more laid over the environment
   * @param input text for its standard input
   */
  async pulumi(
    args: readonly string[],
    cwd = this.folder,
    more: NodeJS.ProcessEnv = {},
    input?: string,
  ): Promise<Ended> {
    const command = [...args, "--non-interactive", "--color", "never"];
    const { exitCode, stdout, stderr } = await execa(commandPath(programs.pulumi), command, {
      cwd,
      env: { ...this.environment, ...more },
      reject: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
    return { exitCode, failed: exitCode !== 0, output: `${stdout}${stderr}`, stdout, stderr };
  }

  /** Runs a command of the program with a stack file of the checkout, with changes to its text. */
  run(stack: string, change: (text: string) => string, args: readonly string[]): Promise<Ended> {
    const file = this.writeStackFile(stack, change);
    return this.pulumi([...args, "--stack", stack], checkout, { [CONFIG_FILE_VARIABLE]: file });
  }

  /** A file of this engine's folder. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /**
   * Writes a stack file with charts from here, an image that is there, and a change.
   * @returns its path
   */
  writeStackFile(stack: string, change: (text: string) => string): string {
    const text = change(readFileSync(join(STACK_FILES, `Pulumi.${stack}.yaml`), "utf8"));
    const { config } = z.object({ config: z.record(z.string(), z.unknown()) }).parse(parse(text));
    const charts = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const more = {
      "temporal-stack:charts": { temporalRepository: charts, cloudNativePgRepository: charts },
      "temporal-stack:workerImage": {
        repository: "registry.example.com/worker",
        digest: `sha256:${"1".repeat(64)}`,
      },
    };
    const file = this.file(`${stack}.yaml`);
    writeFileSync(file, stringify({ config: { ...config, ...more } }));
    return file;
  }
}
