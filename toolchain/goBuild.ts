import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa, ExecaError } from "execa";
import { Failure, lastLines } from "../common/failure";
import { cache } from "../common/paths";
import type { ModulePath, Program } from "./programs";

const modules = join(__dirname, "go");

/**
 * Inlining and debug information cost compile time and nothing that these programs need: without them the
 * standard library compiles in 0.70 of the time (`-gcflags=all=-N -l`: 0.71, and slower programs).
 */
const COMPILER_FLAGS = "-gcflags=all=-l -dwarf=false";

/** The compiler's garbage is mostly long-lived: collecting less often is faster and fits in 24 GiB. */
const COMPILER_GOGC = "400";

/**
 * Compiles a program from the committed module file and checksums. An interrupted build leaves what it
 * compiled in the Go build cache, where the next one finds it.
 *
 * @throws Failure when Go is missing, a module cannot be had, its checksum differs, or compiling fails
 */
export async function build(program: Program, folder: string): Promise<void> {
  const { build: recipe } = program;
  const source = await moduleSource(program, "build");
  await copyFromModules(recipe.embeds ?? {}, source, source);
  const [file, ...links] = program.commands;
  const variables = (recipe.variables ?? []).map((variable) => `-X ${variable}`);
  await mkdir(dirname(folder), { recursive: true });
  const staging = `${folder}.incomplete`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging);
  try {
    await go(
      [
        "build",
        "-trimpath",
        "-buildvcs=false",
        COMPILER_FLAGS,
        `-ldflags=${["-s", "-w", ...variables].join(" ")}`,
        `-tags=${(recipe.tags ?? []).join(",")}`,
        "-o",
        join(staging, file),
        recipe.package,
      ],
      source,
    );
    await copyFromModules(recipe.assets ?? {}, staging, source);
    for (const link of links) await symlink(file, join(staging, link));
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The files that a program's chart takes of its modules, without compiling the program: what only renders the
 * chart needs nothing else.
 *
 * @returns the folder that holds them, each by its name in `assets`
 * @throws Failure when a module cannot be had or its checksum differs
 */
export async function provideAssets(program: Program): Promise<string> {
  const folder = assetsFolder(program);
  if (existsSync(folder)) return folder;
  // Test lanes ask for the same assets at the same time: each has folders of its own until the end.
  const own = `assets-${process.pid}`;
  const source = await moduleSource(program, own);
  try {
    const staging = join(source, "staging");
    await mkdir(staging);
    await copyFromModules(program.build.assets ?? {}, staging, source);
    await mkdir(dirname(folder), { recursive: true });
    await rename(staging, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(cache(own), { recursive: true, force: true });
  }
  return folder;
}

/** Where {@link provideAssets} keeps the files of this very version. */
export const assetsFolder = ({ name, version }: Program): string => cache("assets", name, version);

/** A copy of the committed module file and checksums, in which Go may work. */
async function moduleSource({ name, build: { module } }: Program, purpose: string): Promise<string> {
  const source = cache(purpose, name);
  await rm(source, { recursive: true, force: true });
  await cp(join(modules, module), source, { recursive: true });
  return source;
}

/** Copies files and folders of the modules that `source` is built from; Go keeps those without write permission. */
async function copyFromModules(
  paths: Readonly<Record<string, ModulePath>>,
  target: string,
  source: string,
): Promise<void> {
  for (const [name, [module, path]] of Object.entries(paths)) {
    await execa("cp", [
      ...["--recursive", "--no-preserve=mode", join(await moduleFolder(module, source), path)],
      join(target, name),
    ]);
  }
}

async function moduleFolder(module: string, source: string): Promise<string> {
  await go(["mod", "download", module], source);
  return (await go(["list", "-m", "-f", "{{.Dir}}", module], source)).trim();
}

async function go(args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await execa("go", args, {
      cwd,
      env: {
        CGO_ENABLED: "0",
        GOFLAGS: "-mod=readonly",
        GOTOOLCHAIN: "local",
        GOGC: COMPILER_GOGC,
        GOCACHE: cache("go-build"),
        GOMODCACHE: cache("go-mod"),
      },
    });
    return stdout;
  } catch (error) {
    throw error instanceof ExecaError ? explain(error) : error;
  }
}

function explain({ code, stderr }: { readonly code?: string; readonly stderr?: unknown }): Failure {
  const output = lastLines(typeof stderr === "string" ? stderr : "");
  if (code === "ENOENT") {
    return new Failure(
      "the program `go` is not on PATH, and the official downloads cannot be reached",
      "install Go 1.26.4 or newer, or make the official downloads reachable",
    );
  }
  if (output.some((line) => /dial tcp|no such host|i\/o timeout|connection refused/.test(line))) {
    return new Failure("no Go module registry can be reached", "check the network (go env GOPROXY)", output);
  }
  return new Failure(
    "a Go build failed",
    "the lines above name the cause; the next run resumes the build",
    output,
  );
}
