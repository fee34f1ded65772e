import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PackageDependency } from "@pulumi/pulumi/proto/plugin_pb";

/** A provider plugin that an installed npm package asks for. */
export interface RequiredPlugin {
  readonly name: string;
  readonly version: string;
  /** Where to download it from, unless from the default place. */
  readonly server: string;
}

function entries(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function field(object: unknown, key: string): unknown {
  return typeof object === "object" && object !== null
    ? Object.getOwnPropertyDescriptor(object, key)?.value
    : undefined;
}

function text(object: unknown, key: string): string {
  const value = field(object, key);
  return typeof value === "string" ? value : "";
}

/** Reads `package.json`; packages without a `pulumi` section are not parsed at all. */
function pluginOf(packageDirectory: string): RequiredPlugin | undefined {
  let content: string;
  try {
    content = readFileSync(join(packageDirectory, "package.json"), "utf8");
  } catch {
    return undefined;
  }
  if (!content.includes('"pulumi"')) return undefined;
  const parsed: unknown = JSON.parse(content);
  const section = field(parsed, "pulumi");
  if (field(section, "resource") !== true) return undefined;
  const name = text(section, "name") || text(parsed, "name").replace(/^@pulumi\//, "");
  const version = (text(section, "version") || text(parsed, "version")).replace(/^v/, "");
  return { name, version: `v${version}`, server: text(section, "server") };
}

function collect(nodeModules: string, found: Map<string, RequiredPlugin>): void {
  for (const entry of entries(nodeModules)) {
    if (entry.name.startsWith(".") || entry.isFile()) continue;
    const path = join(nodeModules, entry.name);
    if (entry.name.startsWith("@")) {
      collect(path, found);
      continue;
    }
    const plugin = pluginOf(path);
    if (plugin) found.set(`${plugin.name}@${plugin.version}`, plugin);
    if (!entry.isSymbolicLink()) collect(join(path, "node_modules"), found);
  }
}

/**
 * Lists the provider plugins of all packages that a program can load: in `node_modules` of its folder and of the
 * folders above it, up to the project's root.
 *
 * @param programDirectory Folder of the program.
 * @param rootDirectory Folder of Pulumi.yaml.
 */
export function requiredPlugins(programDirectory: string, rootDirectory: string): RequiredPlugin[] {
  const found = new Map<string, RequiredPlugin>();
  for (let directory = programDirectory; ; directory = dirname(directory)) {
    collect(join(directory, "node_modules"), found);
    if (
      !directory.startsWith(rootDirectory) ||
      directory === rootDirectory ||
      directory === dirname(directory)
    )
      break;
  }
  return [...found.values()];
}

/** The same in the engine's terms. */
export function packageDependency({ name, version, server }: RequiredPlugin): PackageDependency {
  const dependency = new PackageDependency();
  dependency.setKind("resource");
  dependency.setName(name);
  dependency.setVersion(version);
  dependency.setServer(server);
  return dependency;
}
