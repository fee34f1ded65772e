import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { PROJECT } from "../../../settings/mapping";
import { OVERLAY_VARIABLE } from "../../../settings/source";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { machineSettingsFile } from "../../../common/localStack";
import { type Section, StackFile } from "../stackFile";
import { checkout, type Finished, kubectl, run, sourcedEnvironment } from "../support";
import { eventually } from "../../support/eventually";

const machine = z.object({ settings: z.record(z.string(), z.unknown()) });

/** A stack of this program beside prod, on the same cluster, deployed by the administrator. */
export class SecondStack {
  private readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-second-"));
  private readonly environment: NodeJS.ProcessEnv;
  readonly file: StackFile;
  readonly path: string;
  /** Kubernetes namespaces of its Temporal server and of its workers. */
  readonly namespaces: { readonly temporal: string; readonly workers: string };

  /**
   * @param name of the stack
   * @param machineSettings what this machine lays over it, in place of the same sections for prod
   */
  constructor(
    private readonly name: string,
    machineSettings: (prod: Section) => Section,
  ) {
    this.namespaces = { temporal: `temporal-${name}`, workers: `temporal-${name}-workers` };
    this.path = join(checkout, `Pulumi.${name}.yaml`);
    this.file = new StackFile(checkout, checkout, name);
    const { settings } = machine.parse(parse(readFileSync(machineSettingsFile, "utf8")));
    const overlay = join(this.folder, "settings.yaml");
    const own = { ...settings, kubernetes: {}, ...machineSettings(settings) };
    writeFileSync(overlay, stringify({ stack: name, settings: own }));
    this.environment = {
      ...sourcedEnvironment(),
      KUBECONFIG: adminKubeconfig,
      [OVERLAY_VARIABLE]: overlay,
    };
  }

  /** Writes its file and makes the stack. */
  async init(sections: Section): Promise<void> {
    const config = Object.fromEntries(
      Object.entries({ namespaces: this.namespaces, deletionProtection: "false", ...sections }).map(
        ([section, value]) => [`${PROJECT}:${section}`, value],
      ),
    );
    writeFileSync(
      this.path,
      stringify({ config: { "pulumi:disable-default-providers": ["kubernetes"], ...config } }),
    );
    const made = await this.pulumi("stack", "init", this.name);
    assert.equal(made.exitCode, 0, made.output);
  }

  pulumi(...args: string[]): Promise<Finished> {
    return run(["npx", "pulumi", ...args, "--non-interactive", "--color", "never"], {
      env: this.environment,
    });
  }

  up(): Promise<Finished> {
    return this.pulumi("up", "--yes", "--skip-preview", "--stack", this.name);
  }

  preview(): Promise<Finished> {
    return this.pulumi("preview", "--stack", this.name);
  }

  async setSecret(path: string, input: string): Promise<void> {
    const key = ["--secret", "--path", `${PROJECT}:${path}`];
    await execa("npx", ["pulumi", "config", "set", ...key, "--stack", this.name], {
      cwd: checkout,
      env: this.environment,
      input,
    });
  }

  /** Deployments of its Temporal server, by name. */
  deployments(): Promise<string> {
    return kubectl("get", "deployments", "--namespace", this.namespaces.temporal, "--output=name");
  }

  /** Destroys what is deployed, and waits until it is gone. */
  async destroy(): Promise<void> {
    const { exitCode, output } = await this.pulumi(
      "destroy",
      "--yes",
      "--skip-preview",
      "--stack",
      this.name,
    );
    assert.equal(exitCode, 0, output);
    await eventually(
      "its namespaces are gone",
      async () => !(await kubectl("get", "namespaces", "--output=name")).includes(this.namespaces.temporal),
    );
  }

  /** Forgets the stack. */
  async remove(): Promise<void> {
    await this.pulumi("stack", "rm", this.name, "--yes", "--force");
    rmSync(this.folder, { recursive: true });
    rmSync(this.path, { force: true });
  }
}

const tiny = (memory: string) => ({ requests: { cpu: "10m", memory }, limits: { memory: "512Mi" } });
const role = { replicas: 1, resources: tiny("96Mi") };

/** A Temporal server of one pod each, and one worker. */
export const smallServer = (clusterName: string) => ({
  temporal: {
    mode: "chart",
    historyShards: 4,
    cluster: { name: clusterName },
    roles: { frontend: role, history: role, matching: role, worker: role },
    databaseConnections: { default: 4, visibility: 2 },
    ui: { enabled: false },
  },
  payloadEncryption: { enabled: false },
  workers: [
    {
      name: "orders",
      taskQueues: ["orders"],
      replicas: { min: 1, max: 2 },
      resources: tiny("192Mi"),
    },
  ],
});
