import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { parse } from "yaml";
import {
  deploy,
  type Deployment,
  type DeployOptions,
  isValues,
  type Registration,
  type Values,
} from "../harness";

/** Root of the project. */
export const PROJECT_ROOT = join(__dirname, "..", "..");
/** The stacks whose files are part of the project. */
export const STACKS = ["local", "dev", "prod"] as const;
export type StackName = (typeof STACKS)[number];

/** Loads a module by a path that is known only at run time. */
export const load = createRequire(__filename);

/** The `config:` of a real stack file. */
export function stackConfig(stack: StackName): Values {
  const file: unknown = parse(readFileSync(join(PROJECT_ROOT, `Pulumi.${stack}.yaml`), "utf8"));
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

/** How the program is run, beside its stack file. */
type StackOptions = Pick<DeployOptions, "preview" | "secretKeys" | "stackOutputs"> & { changes?: Values };

const unchanged = new Map<StackName, Promise<Deployment>>();

/** Runs the whole program with a real stack file, and `changes` to its configuration; as it stands, once for all tests. */
export function deployStack(stack: StackName, options?: StackOptions): Promise<Deployment> {
  if (options !== undefined) return deployAnew(stack, options);
  const deployment = unchanged.get(stack) ?? deployAnew(stack, {});
  unchanged.set(stack, deployment);
  return deployment;
}

async function deployAnew(stack: StackName, options: StackOptions): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const before = process.env["KUBECONFIG"];
  try {
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, KUBECONFIG);
    process.env["KUBECONFIG"] = kubeconfig;
    const program = join(PROJECT_ROOT, "index.ts");
    Reflect.deleteProperty(require.cache, program);
    return await deploy((): unknown => load(program), {
      stack,
      ...options,
      config: engineConfig({ ...stackConfig(stack), ...options.changes }),
    });
  } finally {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
    rmSync(folder, { recursive: true });
  }
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
