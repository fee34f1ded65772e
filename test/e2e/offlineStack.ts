import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { makeChartRepository } from "../../local/charts/archives";
import { fileServer } from "../../local/charts/server";
import { checkout } from "../../local/paths";
import { pulumiHome } from "../../local/pulumi";
import { commandPath, programFolder } from "../../local/toolchain/install";
import { programs } from "../../local/toolchain/programs";

/*
 * A deployed stack without a cluster: the real engine and the real providers on a backend of files. What an update
 * would have left is made from previews, each of which knows more than the one before.
 */

/** Nothing listens on port 1. */
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: none
contexts: [{ name: none, context: { cluster: none, user: none } }]
clusters: [{ name: none, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: none, user: { token: none } }]
`;
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const STACK = "pulumi:pulumi:Stack";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const properties = z.record(z.string(), z.unknown());
type Properties = z.output<typeof properties>;
const planSchema = z.object({
  resourcePlans: z.record(
    z.string(),
    z.object({
      goal: z.object({
        type: z.string(),
        custom: z.boolean(),
        inputDiff: z.object({ adds: properties.default({}) }),
        parent: z.string().optional(),
        provider: z.string().optional(),
        protect: z.boolean().default(false),
        dependencies: z.array(z.string()).default([]),
      }),
      state: properties.default({}),
      steps: z.array(z.string()),
    }),
  ),
});
type Goal = z.output<typeof planSchema>["resourcePlans"][string];
type Goals = ReadonlyMap<string, Goal>;
const exported = z.looseObject({ version: z.number(), deployment: z.looseObject({}) });

/** What tests change in the text of the stack file. */
export type Change = (text: string) => string;
const unchanged: Change = (text) => text;

/** How a command ended. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Stack `prod` with the real stack file, charts from this machine, and an image that is there. */
export class OfflineStack {
  readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-offline-"));
  readonly passphrase = "a passphrase of tests";
  readonly configFile = join(this.folder, "prod.yaml");
  private readonly server = fileServer(join(this.folder, "charts"));
  private charts = "";

  /** The environment of somebody who has the stock CLI, a kubeconfig, and a backend of their own. */
  readonly environment: Readonly<Record<string, string | undefined>> = {
    KUBECONFIG: join(this.folder, "kubeconfig"),
    PATH: [programFolder(programs.pulumi), process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: `file://${join(this.folder, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: this.passphrase,
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_HOME: pulumiHome,
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TEMPORAL_STACK_MACHINE_SETTINGS: undefined,
    // No stack of `npm run up` here, whatever this machine runs.
    TEMPORAL_STACK_STATE: join(this.folder, "no-state"),
  };

  /** Runs the CLI where no stack file of the checkout lies that it would write its salt to. */
  async pulumi(args: readonly string[], cwd = this.folder, more: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const command = [...args, "--non-interactive", "--color", "never"];
    const options = { cwd, env: { ...this.environment, ...more }, reject: false, stdin: "ignore" } as const;
    const { exitCode, stdout, stderr } = await execa(commandPath(programs.pulumi), command, options);
    return { exitCode, stdout, stderr };
  }

  /** Makes the stack; nothing is deployed. */
  async create(): Promise<void> {
    mkdirSync(join(this.folder, "backend"));
    writeFileSync(join(this.folder, "kubeconfig"), KUBECONFIG);
    await makeChartRepository(join(this.folder, "charts"));
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.charts = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    copyFileSync(join(checkout, "Pulumi.yaml"), join(this.folder, "Pulumi.yaml"));
    const made = await this.pulumi(["stack", "init", "prod"]);
    assert.equal(made.exitCode, 0, made.stderr);
  }

  /** Writes the stack file with a change. */
  writeConfig(change: Change = unchanged): void {
    const text = change(readFileSync(join(checkout, "Pulumi.prod.yaml"), "utf8"));
    const { config } = z.object({ config: properties }).parse(parse(text));
    const more = {
      "temporal-stack:charts": { temporalRepository: this.charts, cloudNativePgRepository: this.charts },
      "temporal-stack:workerImage": {
        repository: "registry.example.com/worker",
        digest: `sha256:${"1".repeat(64)}`,
      },
    };
    writeFileSync(this.configFile, stringify({ config: { ...config, ...more } }));
  }

  /** Makes the state that an update of the stack file would have left. */
  async deploy(change?: Change): Promise<void> {
    this.writeConfig(change);
    // A value that is made from a generated one is known once that one is there.
    const first = new Map(
      [...(await this.goals())].filter(([, { goal }]) =>
        /^(pulumi:p|random:|temporal-stack:)/.test(goal.type),
      ),
    );
    await this.leave(first);
    await this.leave(new Map([...first, ...(await this.goals())]));
    // Nothing is left to do: what it leaves is an entry in the history.
    const args = ["up", "--yes", "--skip-preview", "--expect-no-changes", "--config-file", this.configFile];
    const { exitCode, stdout, stderr } = await this.pulumi([...args, "--stack", "prod"], checkout);
    assert.equal(exitCode, 0, `${stdout}${stderr}`);
  }

  /** The events of a preview, one a line. */
  events(args: readonly string[]): Promise<Ended> {
    const command = ["preview", "--json", "--stack", "prod", "--config-file", this.configFile, ...args];
    return this.pulumi(command, checkout, { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" });
  }

  /** Previews the stack file as it is written. */
  preview(args: readonly string[]): Promise<Ended> {
    return this.pulumi(["preview", "--stack", "prod", "--config-file", this.configFile, ...args], checkout);
  }

  close(): void {
    this.server.close();
    rmSync(this.folder, { recursive: true });
  }

  /** What the program wants of resources that are not there yet, with secrets in the clear. */
  private async goals(): Promise<Goals> {
    const file = join(this.folder, "plan.json");
    const { exitCode, stdout, stderr } = await this.preview(["--save-plan", file, "--show-secrets"]);
    assert.equal(exitCode, 0, `${stdout}${stderr}`);
    const { resourcePlans } = planSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    return new Map(
      Object.entries(resourcePlans).filter(
        ([, { goal, steps }]) => steps.includes("create") || goal.type === STACK,
      ),
    );
  }

  private async leave(goals: Goals): Promise<void> {
    const { stdout } = await this.pulumi(["stack", "export", "--stack", "prod"]);
    const { version, deployment } = exported.parse(JSON.parse(stdout));
    const file = join(this.folder, "state.json");
    const resources = inOrder([
      ...[...goals].map((entry) => stateOf(entry, goals)),
      ...defaultProviders(goals),
    ]);
    writeFileSync(file, JSON.stringify({ version, deployment: { ...deployment, resources } }));
    const imported = await this.pulumi(["stack", "import", "--stack", "prod", "--file", file]);
    assert.equal(imported.exitCode, 0, imported.stderr);
  }
}

/** Identity of every provider in the state. */
const PROVIDER_ID = "offline";

interface State extends Properties {
  readonly urn: string;
  /** URNs of what must be in the state before it. */
  readonly dependencies: readonly string[];
}

/** What an update would have recorded of a resource. */
function stateOf([urn, { goal, state }]: readonly [string, Goal], goals: Goals): State {
  const { type, custom, parent, provider, protect } = goal;
  const dependencies = goal.dependencies.filter((dependency) => goals.has(dependency));
  const inputs = Object.fromEntries(
    // The SDK's own mark on a provider, which the engine does not record.
    Object.entries(goal.inputDiff.adds).filter(([key]) => key !== "__internal"),
  );
  return {
    ...{ urn, type, custom, inputs, protect, dependencies },
    ...(parent === undefined ? {} : { parent }),
    ...(provider === undefined ? {} : { provider: `${providerUrn(provider)}::${PROVIDER_ID}` }),
    ...(custom ? { id: idOf(type, inputs), outputs: outputsOf(type, urn, inputs) } : { outputs: state }),
  };
}

/** A reference is `urn::id`; the id is not known in a preview. */
const providerUrn = (reference: string): string => reference.slice(0, reference.lastIndexOf("::"));

/** The engine makes them by itself: they are not among the goals. */
function defaultProviders(goals: Goals): State[] {
  const urns = [...goals.values()].flatMap(({ goal: { provider } }) =>
    provider === undefined ? [] : [providerUrn(provider)],
  );
  return [...new Set(urns)]
    .filter((urn) => !goals.has(urn))
    .map((urn) => {
      const [, , type = "", name = ""] = urn.split("::");
      const inputs = { version: name.replace("default_", "").replaceAll("_", ".") };
      return { urn, type, custom: true, id: PROVIDER_ID, inputs, outputs: inputs, dependencies: [] };
    });
}

/** A state names nothing before it is there. */
function inOrder(resources: readonly State[]): State[] {
  const waiting = new Map(resources.map((resource) => [resource.urn, resource]));
  const ordered: State[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ parent, provider, dependencies }) =>
        ![parent, typeof provider === "string" ? providerUrn(provider) : undefined, ...dependencies].some(
          (urn) => typeof urn === "string" && waiting.has(urn),
        ),
    );
    assert.notEqual(ready.length, 0, `a circle of resources: ${[...waiting.keys()].join(", ")}`);
    for (const resource of ready) waiting.delete(resource.urn);
    ordered.push(...ready);
  }
  return ordered;
}

function idOf(type: string, inputs: Properties): string {
  if (type.startsWith("pulumi:providers:")) return PROVIDER_ID;
  if (!type.startsWith("kubernetes:")) return "none";
  const { name, namespace } = type.endsWith(":Release") ? inputs : properties.parse(inputs["metadata"]);
  return typeof namespace === "string" ? `${namespace}/${String(name)}` : String(name);
}

function outputsOf(type: string, urn: string, inputs: Properties): Properties {
  if (type === "random:index/randomPassword:RandomPassword") {
    const result = createHash("sha512").update(urn).digest("hex").slice(0, Number(inputs["length"]));
    return { ...inputs, result: { [SIGNATURE]: SECRET, plaintext: JSON.stringify(result) } };
  }
  // The provider keeps the inputs of objects among their outputs, those of releases not.
  if (type.endsWith(":Release")) return { ...inputs, status: { status: "deployed" } };
  return type.startsWith("kubernetes:") ? { ...inputs, __inputs: inputs } : inputs;
}
