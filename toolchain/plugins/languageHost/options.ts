import type { ProgramInfo } from "@pulumi/pulumi/proto/language_pb";
import { fromStruct, type PropertyMap } from "../runtime/properties";

/** Options under `runtime.options` of Pulumi.yaml, as the official Node language host knows them. */
export interface RuntimeOptions {
  /** Whether the SDK loads TypeScript sources itself. Default true. */
  readonly typescript: boolean;
  /** Path of the tsconfig.json for that. */
  readonly tsconfig: string | undefined;
  /** Arguments for the node process of the program. */
  readonly nodeargs: readonly string[];
  /** Whether `pulumi install` leaves development dependencies out. Default false. */
  readonly production: boolean;
}

/** Splits a command line at white space; quotes and backslashes keep it together, as in a shell. */
export function splitArguments(line: string): string[] {
  const words = line.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
      (_match, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
        double?.replace(/\\(.)/g, "$1") ?? single ?? escaped ?? "",
    ),
  );
}

/**
 * Reads the runtime options.
 *
 * @throws Error naming every option of a wrong kind.
 */
export function parseOptions(values: PropertyMap): RuntimeOptions {
  const problems: string[] = [];
  const read = (key: string, kind: "string" | "boolean"): unknown => {
    const value = values[key];
    if (value !== undefined && typeof value !== kind) {
      problems.push(`runtime option ${key} must be a ${kind}, got ${JSON.stringify(value)}`);
    }
    return value;
  };
  const typescript = read("typescript", "boolean") !== false;
  const tsconfig = read("tsconfig", "string");
  const nodeargs = read("nodeargs", "string");
  const production = read("production", "boolean") === true;
  const manager = read("packagemanager", "string");
  if (typeof manager === "string" && manager !== "auto" && manager !== "npm") {
    problems.push(`runtime option packagemanager must be auto or npm here, got ${JSON.stringify(manager)}`);
  }
  if (problems.length > 0) throw new Error(`Pulumi.yaml: ${problems.join("; ")}`);
  return {
    typescript,
    tsconfig: typeof tsconfig === "string" && tsconfig !== "" ? tsconfig : undefined,
    nodeargs: typeof nodeargs === "string" ? splitArguments(nodeargs) : [],
    production,
  };
}

/** Reads the runtime options of the program that a request is about. */
export function optionsOf(info: ProgramInfo | undefined): RuntimeOptions {
  return parseOptions(fromStruct(info?.getOptions()));
}

/** Environment through which the SDK learns about TypeScript. */
export function typescriptEnvironment(options: RuntimeOptions): Record<string, string> {
  return {
    ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
    ...(options.tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
  };
}
