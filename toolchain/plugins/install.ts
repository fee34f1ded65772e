import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { compileSources, type Files, readSources } from "./compile";
import { METADATA_FILE, type PluginMetadata } from "./runtime/metadata";

/** Where the plugins go and what they are to be. */
export interface InstallOptions {
  /** `PULUMI_HOME` of the toolchain; resource plugins go into its `plugins` folder. */
  readonly pulumiHome: string;
  /** Folder that holds the `pulumi` executable; the engine looks for the language host beside it. */
  readonly cliDirectory: string;
  /** Folder whose `node_modules` holds `@pulumi/pulumi` and what else the plugins import. */
  readonly sdkRoot: string;
  /** Versions that the plugins stand for, without a leading `v`. */
  readonly versions: { readonly cli: string; readonly random: string; readonly docker: string };
  /** Absolute path of the node that runs the plugins. Default: the one running now. */
  readonly node?: string;
}

/** One plugin that is in place. */
export interface InstalledPlugin extends PluginMetadata {
  /** Absolute path of the executable that the engine starts. */
  readonly executable: string;
  /** False if it had been installed before, just so. */
  readonly changed: boolean;
}

interface Program extends PluginMetadata {
  /** Folder of its sources, here and where the compiled code is installed. */
  readonly folder: string;
  readonly executable: string;
}

/** Code that every program uses. */
const SHARED_FOLDER = "runtime";
/** Folder below `PULUMI_HOME` for the compiled code of all programs, one folder per content. */
const CODE_FOLDER = "substitute-plugins";

function programs({ pulumiHome, cliDirectory, versions }: InstallOptions): Program[] {
  const resource = (name: string, version: string, folder: string): Program => ({
    name,
    version,
    folder,
    executable: join(pulumiHome, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`),
  });
  return [
    {
      name: "nodejs",
      version: versions.cli,
      folder: "languageHost",
      executable: join(cliDirectory, "pulumi-language-nodejs"),
    },
    resource("random", versions.random, "randomProvider"),
    resource("docker", versions.docker, "dockerProvider"),
  ];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function launcher(node: string, codeDirectory: string, folder: string, sdkRoot: string): string {
  const needed = join(codeDirectory, "node_modules", "@pulumi", "pulumi");
  const advice = `${sdkRoot} has no installed dependencies any more: run npm run up in a checkout that has`;
  return [
    "#!/bin/sh",
    `[ -d ${shellQuote(needed)} ] || { echo ${shellQuote(advice)} >&2; exit 1; }`,
    `exec ${shellQuote(node)} ${shellQuote(join(codeDirectory, folder, "main.js"))} "$@"`,
    "",
  ].join("\n");
}

/** The same hash means the same code, names and dependencies. */
function contentHash(all: readonly Program[], sources: Files, sdkRoot: string): string {
  const hash = createHash("sha256");
  const metadata = all.flatMap(({ name, version }) => [name, version]);
  for (const part of [sdkRoot, ...metadata, ...[...sources].flat()]) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** Writes the code under another name first: a folder with the final name is always complete. */
async function writeCode(
  directory: string,
  all: readonly Program[],
  sources: Files,
  sdkRoot: string,
): Promise<void> {
  const temporary = `${directory}.${randomUUID()}.tmp`;
  for (const [name, content] of await compileSources(sources)) {
    mkdirSync(dirname(join(temporary, name)), { recursive: true });
    writeFileSync(join(temporary, name), content);
  }
  for (const { folder, name, version } of all) {
    const metadata: PluginMetadata = { name, version };
    writeFileSync(join(temporary, folder, METADATA_FILE), JSON.stringify(metadata));
  }
  symlinkSync(join(sdkRoot, "node_modules"), join(temporary, "node_modules"));
  renameSync(temporary, directory);
}

/** @returns Whether the executable was not so before. */
function writeExecutable(file: string, content: string): boolean {
  if (existsSync(file) && readFileSync(file, "utf8") === content) return false;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}.tmp`;
  writeFileSync(temporary, content, { mode: 0o755 });
  renameSync(temporary, file);
  return true;
}

/**
 * Installs the Node language host, the random provider and the docker provider, for a Pulumi CLI that was built
 * from source because the official downloads cannot be reached.
 *
 * What is installed already is left alone; an interrupted installation is completed by the next one, and until
 * then the engine sees of each plugin either the old one or the new.
 *
 * @returns The plugins in place, in the order: language host, random, docker.
 */
export async function installPlugins(options: InstallOptions): Promise<InstalledPlugin[]> {
  const { pulumiHome, sdkRoot, node = process.execPath } = options;
  const all = programs(options);
  const sources = readSources(__dirname, [SHARED_FOLDER, ...all.map(({ folder }) => folder)]);
  const root = join(pulumiHome, CODE_FOLDER);
  const codeName = contentHash(all, sources, sdkRoot);
  const codeDirectory = join(root, codeName);
  if (!existsSync(codeDirectory)) {
    mkdirSync(root, { recursive: true });
    await writeCode(codeDirectory, all, sources, sdkRoot);
  }
  const installed = all.map(({ name, version, folder, executable }) => ({
    name,
    version,
    executable,
    changed: writeExecutable(executable, launcher(node, codeDirectory, folder, sdkRoot)),
  }));
  for (const other of readdirSync(root).filter((entry) => entry !== codeName)) {
    rmSync(join(root, other), { recursive: true, force: true });
  }
  return installed;
}
