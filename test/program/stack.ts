import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { parse, stringify } from "yaml";
import { settingsSchema } from "../../settings/settings";
import { CONFIG_FILE_VARIABLE } from "../../settings/encryptedPlaces";
import { placesOf, secretPathsOf, type SettingPath } from "../../settings/secretSettings";
import {
  deploy,
  type Deployment,
  type DeployOptions,
  isValues,
  type Registration,
  type Values,
} from "../harness";
import { STACK_FILES } from "../support/stackFiles";

/** Root of the project. */
export const PROJECT_ROOT = join(__dirname, "..", "..");
/** The stacks of {@link STACK_FILES}. */
export const STACKS = ["local", "dev", "prod"] as const;
export type StackName = (typeof STACKS)[number];

/** Loads a module by a path that is known only at run time. */
export const load = createRequire(__filename);

/** The `config:` of a stack file. */
export function stackConfig(stack: StackName): Values {
  const file: unknown = parse(readFileSync(join(STACK_FILES, `Pulumi.${stack}.yaml`), "utf8"));
  const config = isValues(file) ? file["config"] : undefined;
  if (!isValues(config)) throw new Error(`Pulumi.${stack}.yaml has no config`);
  return config;
}

/** Configuration as the engine hands it to a program: mappings and lists as JSON. */
export function engineConfig(config: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: test } }]
clusters: [{ name: test, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: test, user: { token: kubeconfig-token } }]
`;

/** Runs something that may ask the cluster, at whose address nobody answers. */
export async function withDeadCluster(action: () => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const before = process.env["KUBECONFIG"];
  try {
    process.env["KUBECONFIG"] = join(folder, "kubeconfig");
    writeFileSync(process.env["KUBECONFIG"], KUBECONFIG);
    await action();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, "KUBECONFIG");
    else process.env["KUBECONFIG"] = before;
    rmSync(folder, { recursive: true });
  }
}

/** How the program is run, beside its stack file. */
type StackOptions = Pick<DeployOptions, "preview" | "root" | "stackOutputs"> & {
  /** Laid over the stack file's configuration. */
  changes?: Values;
  /** Places of values that somebody encrypted, beside the secret settings, section first. */
  encrypted?: readonly SettingPath[];
};

const unchanged = new Map<StackName, Promise<Deployment>>();

/** Runs the whole program with a stack file, and `changes` to its configuration; as it stands, once for all tests. */
export function deployStack(stack: StackName, options?: StackOptions): Promise<Deployment> {
  if (options !== undefined) return deployAnew(stack, options);
  const deployment = unchanged.get(stack) ?? deployAnew(stack, {});
  unchanged.set(stack, deployment);
  return deployment;
}

async function deployAnew(
  stack: StackName,
  { changes, encrypted = [], ...options }: StackOptions,
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const variables = {
    KUBECONFIG: join(folder, "kubeconfig"),
    [CONFIG_FILE_VARIABLE]: join(folder, "stack.yaml"),
  };
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  try {
    writeFileSync(variables.KUBECONFIG, KUBECONFIG);
    Object.assign(process.env, variables);
    const config = { ...stackConfig(stack), ...changes };
    const secretKeys = writeStackFile(join(folder, "stack.yaml"), config, encrypted);
    const program = join(PROJECT_ROOT, "index.ts");
    Reflect.deleteProperty(require.cache, program);
    return await deploy((): unknown => load(program), {
      stack,
      ...options,
      config: engineConfig(config),
      secretKeys,
    });
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true });
  }
}

/**
 * Writes the stack file that the engine would have read, with the secret settings encrypted.
 * @returns keys of the sections that hold a secret
 */
function writeStackFile(file: string, config: Values, encrypted: readonly SettingPath[]): string[] {
  const written: unknown = structuredClone(config);
  const sections = Object.entries(config).map(([key, value]) => [key.replace(/^temporal-stack:/, ""), value]);
  const values: unknown = Object.fromEntries(sections);
  const places = [...secretPathsOf(settingsSchema).flatMap((path) => placesOf(path, values)), ...encrypted];
  const keys = places.map(([section, ...rest]) => {
    const key = `temporal-stack:${String(section)}`;
    const last = rest.at(-1);
    const parent = rest
      .slice(0, -1)
      .reduce<unknown>((value, part) => at(value, String(part)), at(written, key));
    if (last === undefined) Reflect.set(Object(written), key, { secure: "v1:ciphertext" });
    else Reflect.set(Object(parent), last, { secure: "v1:ciphertext" });
    return key;
  });
  writeFileSync(file, stringify({ config: written }, { defaultStringType: "QUOTE_DOUBLE" }));
  return [...new Set(keys)];
}

/** A Kubernetes object as it was registered. */
export interface KubernetesObject {
  readonly registration: Registration;
  readonly kind: string;
  readonly apiVersion: string;
  readonly inputs: Values;
}

/** The Kubernetes objects among the registrations, optionally of one kind. */
export function objectsOf({ registrations }: Deployment, kind?: string): KubernetesObject[] {
  return registrations
    .filter(({ type }) => type !== "kubernetes:helm.sh/v3:Release" && /^kubernetes:[\w./-]+:\w+$/.test(type))
    .map((registration) => ({
      registration,
      kind: String(registration.inputs["kind"]),
      apiVersion: String(registration.inputs["apiVersion"]),
      inputs: registration.inputs,
    }))
    .filter((object) => kind === undefined || object.kind === kind);
}

/** What is at a path in a value; throws with the path if it is not a mapping. */
export function mappingAt(value: unknown, ...path: (string | number)[]): Values {
  const found = at(value, ...path);
  if (!isValues(found)) throw new Error(`no mapping at ${path.join(".")}`);
  return found;
}

/** What is at a path in a value, or undefined. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, part) : undefined),
    value,
  );
}

/** The list at a path in a value; empty if there is none. */
export function listAt(value: unknown, ...path: (string | number)[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
