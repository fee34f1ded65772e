import * as pulumi from "@pulumi/pulumi";
import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { emulatedState } from "./emulation";
import { EmulatedTransforms } from "./transforms";

/*
 * Runs Pulumi programs under mocks so that no failure is lost. Mocha ignores unhandled rejections, which
 * is what a failing registration or a throwing `apply` ends in: they are collected here, and `deploy`
 * fails with them.
 */

const rejections: unknown[] = [];
let onRejection: () => void = () => undefined;
process.on("unhandledRejection", (reason) => {
  rejections.push(reason);
  onRejection();
});

/** Rejections that no `deploy` has reported; empties the collection. */
export function uncollectedRejections(): unknown[] {
  return rejections.splice(0);
}

/** A mapping of values as they went over the wire. */
export type Values = Readonly<Record<string, unknown>>;

/** What a program asked the engine to register. */
export interface Registration {
  readonly name: string;
  readonly type: string;
  readonly custom: boolean;
  readonly parent: string;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly dependencies: readonly string[];
  readonly provider: string;
  /** Names of the hooks that run before an update or a creation. */
  readonly hooks: { readonly beforeCreate: readonly string[]; readonly beforeUpdate: readonly string[] };
  readonly timeouts: { readonly create: string; readonly update: string };
  /** Inputs with secrets unwrapped. */
  readonly inputs: Values;
  /** Paths of inputs that were marked secret, as `spec.data.key`. */
  readonly secretPaths: readonly string[];
}

/** Result of a run. */
export interface Deployment {
  readonly registrations: readonly Registration[];
  /** Hooks by name. Mocks never run them; tests do. */
  readonly hooks: ReadonlyMap<string, pulumi.ResourceHook>;
  readonly outputs: Values;
}

/** How a program is run. */
export interface DeployOptions {
  readonly stack?: string;
  readonly preview?: boolean;
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
  /** Outputs that the stack finds when it reads itself. */
  readonly stackOutputs?: Values;
  /** Folder of Pulumi.yaml; one that is not there by default. */
  readonly root?: string;
}

/**
 * Runs a program to its end and returns everything that it registered.
 * @throws AggregateError with every failure, also those that nothing waits for
 */
export async function deploy(program: () => unknown, options: DeployOptions = {}): Promise<Deployment> {
  const registrations: Registration[] = [];
  const failures: unknown[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs, custom }) => ({
        id: custom === false ? "" : `${name}-id`,
        state: emulatedState(type, name, isValues(inputs) ? inputs : {}, options.stackOutputs),
      }),
      call: ({ token }) => {
        // The SDK loses the message of an error that is thrown here.
        const error = new Error(`unexpected invoke ${token}`);
        failures.push(error);
        throw error;
      },
    },
    "temporal-stack",
    options.stack ?? "dev",
    options.preview ?? false,
    "organization",
  );
  pulumi.runtime.setAllConfig({ ...options.config }, [...(options.secretKeys ?? [])]);
  setRoot(options.root);
  const transforms = new EmulatedTransforms();
  recordRegistrations(registrations, transforms);
  const hooks = recordHooks(transforms);

  let outputs: unknown;
  const run = async () => {
    try {
      outputs = await pulumi.runtime.runInPulumiStack(() => Promise.resolve(program()));
    } catch (error) {
      failures.push(error);
    }
    await pulumi.runtime.disconnect();
  };
  // What waits for a registration that was rejected waits for ever, which the SDK would report at exit.
  const rejected = new Promise<void>((resolve) => {
    onRejection = resolve;
  });
  const abandoned = rejected.then(() => Reflect.set(globalStore(), "terminated", true));
  await Promise.race([run(), abandoned]);
  await new Promise((resolve) => setImmediate(resolve));
  failures.push(...uncollectedRejections());
  if (failures.length > 0)
    throw new AggregateError(failures, [...new Set(failures.map(messageOf))].join("\n").trim());
  const resolved = await valueOf(pulumi.output(outputs));
  return { registrations, hooks, outputs: isValues(resolved) ? resolved : {} };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The value of an Output, with every Output inside it resolved; rejects if one of them failed. */
export function valueOf(output: pulumi.Output<unknown>): Promise<unknown> {
  return Promise.resolve(method(output, "promise")());
}

/** Options are not part of what mocks see, so the requests themselves are read. */
function recordRegistrations(registrations: Registration[], transforms: EmulatedTransforms): void {
  const monitor: unknown = pulumi.runtime.getMonitor();
  if (typeof monitor !== "object" || monitor === null) throw new Error("no mock monitor");
  const register = method(monitor, "registerResource");
  Reflect.set(monitor, "registerResource", (request: unknown, answer: (error: unknown) => void) => {
    const done = () => {
      registrations.push(readRequest(request));
      return register(request, answer);
    };
    if (transforms.none || !(request instanceof RegisterResourceRequest)) return done();
    return transforms.apply(request).then(done, answer);
  });
}

/** Takes the place of the server through which the engine would call hooks. */
function recordHooks(transforms: EmulatedTransforms): Map<string, pulumi.ResourceHook> {
  const hooks = new Map<string, pulumi.ResourceHook>();
  const done = () => Promise.resolve();
  const registerResourceHook = (hook: pulumi.ResourceHook) => {
    if (hooks.has(hook.name)) throw new Error(`two hooks of the name ${hook.name}`);
    hooks.set(hook.name, hook);
    return done();
  };
  const server = {
    registerResourceHook,
    registerStackTransform: (transform: pulumi.ResourceTransform) => transforms.add(transform),
    awaitStackRegistrations: done,
    shutdown: () => undefined,
  };
  Reflect.set(globalStore(), "callbacks", server);
  Reflect.set(globalStore(), "supportsTransforms", true);
  return hooks;
}

function setRoot(root = "rootDirectory"): void {
  const settings: unknown = Reflect.get(globalStore(), "settings");
  const known: unknown = Reflect.get(Object(settings), "options");
  if (typeof known !== "object" || known === null)
    throw new Error("the SDK has no options: adapt the harness");
  Reflect.set(known, "rootDirectory", root);
}

/** Where the SDK keeps what belongs to a run. */
function globalStore(): object {
  const store: unknown = Reflect.get(globalThis, "globalStore");
  if (typeof store !== "object" || store === null) {
    throw new Error("the SDK has no store any more: adapt the harness");
  }
  return store;
}

function readRequest(request: unknown): Registration {
  const text = (getter: string, from: unknown = request) => {
    const found = method(from, getter)();
    return typeof found === "string" ? found : "";
  };
  const timeouts = method(request, "getCustomtimeouts")();
  const secretPaths: string[] = [];
  const object = method(request, "getObject")();
  const raw = object === undefined ? {} : method(object, "toJavaScript")();
  const inputs = unwrapSecrets(raw, "", secretPaths);
  const dependencies = method(request, "getDependenciesList")();
  const hooks = method(request, "getHooks")();
  const hookNames = (getter: string) => {
    const names = hooks === undefined ? [] : method(hooks, getter)();
    return Array.isArray(names) ? names.map(String) : [];
  };
  return {
    name: text("getName"),
    type: text("getType"),
    custom: method(request, "getCustom")() === true,
    parent: text("getParent"),
    protect: method(request, "getProtect")() === true,
    retainOnDelete: method(request, "getRetainondelete")() === true,
    dependencies: Array.isArray(dependencies) ? dependencies.map(String) : [],
    provider: text("getProvider"),
    hooks: {
      beforeCreate: hookNames("getBeforeCreateList"),
      beforeUpdate: hookNames("getBeforeUpdateList"),
    },
    timeouts: {
      create: timeouts === undefined ? "" : text("getCreate", timeouts),
      update: timeouts === undefined ? "" : text("getUpdate", timeouts),
    },
    inputs: isValues(inputs) ? inputs : {},
    secretPaths,
  };
}

/** Calls a method of an object of the SDK whose type is not exported. */
function method(target: unknown, name: string): (...args: unknown[]) => unknown {
  const found: unknown =
    typeof target === "object" && target !== null ? Reflect.get(target, name) : undefined;
  if (typeof found !== "function") throw new Error(`the SDK has no ${name} any more: adapt the harness`);
  return (...args) => {
    const result: unknown = Reflect.apply(found, target, args);
    return result;
  };
}

/** Marks of the wire protocol: a mapping with this key and value wraps a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

function unwrapSecrets(value: unknown, path: string, secretPaths: string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => unwrapSecrets(item, `${path}[${String(index)}]`, secretPaths));
  }
  if (!isValues(value)) return value;
  if (value[SIGNATURE] === SECRET) {
    secretPaths.push(path);
    return unwrapSecrets(value["value"], path, secretPaths);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      unwrapSecrets(item, path === "" ? key : `${path}.${key}`, secretPaths),
    ]),
  );
}

/** Whether a value is a mapping. */
export function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
