import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { type Ended, OfflineEngine } from "../support/offlineEngine";
import { checkout } from "../../common/paths";

/*
 * A deployed stack without a cluster: the real engine and the real providers on a backend of files. What an update
 * would have left is made from previews, each of which knows more than the one before.
 */

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

/** Stack `prod` with charts from this machine, and an image that is there. */
export class OfflineStack {
  private readonly engine = new OfflineEngine();
  readonly folder = this.engine.folder;
  readonly configFile = this.engine.file("prod.yaml");

  readonly environment: Readonly<Record<string, string | undefined>> = this.engine.environment;

  /** Runs the CLI where no stack file of the checkout lies that it would write its salt to. */
  pulumi(args: readonly string[], cwd?: string, more?: NodeJS.ProcessEnv): Promise<Ended> {
    return this.engine.pulumi(args, cwd, more);
  }

  /** Makes the stack; nothing is deployed. */
  create(): Promise<void> {
    return this.engine.start("prod");
  }

  /** Writes the stack file with a change. */
  writeConfig(change: Change = unchanged): void {
    this.engine.writeStackFile("prod", change);
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
    const { exitCode, output } = await this.pulumi([...args, "--stack", "prod"], checkout);
    assert.equal(exitCode, 0, output);
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
    this.engine.stop();
  }

  /** What the program wants of resources that are not there yet, with secrets in the clear. */
  private async goals(): Promise<Goals> {
    const file = this.engine.file("plan.json");
    const { exitCode, output } = await this.preview(["--save-plan", file, "--show-secrets"]);
    assert.equal(exitCode, 0, output);
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
    const file = this.engine.file("state.json");
    const resources = inOrder([
      ...[...goals].map((entry) => stateOf(entry, goals)),
      ...defaultProviders(goals),
    ]);
    writeFileSync(file, JSON.stringify({ version, deployment: { ...deployment, resources } }));
    const imported = await this.pulumi(["stack", "import", "--stack", "prod", "--file", file]);
    assert.equal(imported.exitCode, 0, imported.output);
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
  if (type === "random:index/randomUuid:RandomUuid")
    return { ...inputs, result: "3f0c1d2e-5a6b-4c7d-8e9f-0a1b2c3d4e5f" };
  // The provider keeps the inputs of objects among their outputs, those of releases not.
  if (type.endsWith(":Release")) return { ...inputs, status: { status: "deployed" } };
  return type.startsWith("kubernetes:") ? { ...inputs, __inputs: inputs } : inputs;
}
