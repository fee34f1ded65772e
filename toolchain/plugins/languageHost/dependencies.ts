import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  AboutResponse,
  DependencyInfo,
  GetProgramDependenciesResponse,
  type InstallDependenciesRequest,
  InstallDependenciesResponse,
} from "@pulumi/pulumi/proto/language_pb";
import { nonEmpty } from "../runtime/properties";
import { interrupt, resolveFrom, track } from "./children";
import { optionsOf } from "./options";
import { failCall } from "./status";

function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function record(object: unknown, key: string): Record<string, unknown> {
  const value: unknown =
    typeof object === "object" && object !== null
      ? Object.getOwnPropertyDescriptor(object, key)?.value
      : undefined;
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/**
 * Lists npm packages with the versions of the lock file.
 *
 * @param transitive Whether to list what the dependencies need in turn.
 */
export function programDependencies(directory: string, transitive: boolean): GetProgramDependenciesResponse {
  const manifest = readJson(join(directory, "package.json"));
  const locked = record(readJson(join(directory, "package-lock.json")), "packages");
  const direct = { ...record(manifest, "dependencies"), ...record(manifest, "devDependencies") };
  const response = new GetProgramDependenciesResponse();
  for (const [path, entry] of Object.entries(locked)) {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const isDirect = path === `node_modules/${name}` && name in direct;
    if (path === "" || !(transitive || isDirect)) continue;
    if (typeof entry !== "object" || entry === null || !("version" in entry)) continue;
    const dependency = new DependencyInfo();
    dependency.setName(name);
    dependency.setVersion(String(entry.version));
    response.addDependencies(dependency);
  }
  return response;
}

/** What `pulumi about` shows of the runtime. */
export function about(programDirectory: string): AboutResponse {
  const response = new AboutResponse();
  response.setExecutable(process.execPath);
  response.setVersion(process.version);
  const metadata = response.getMetadataMap();
  metadata.set("packagemanager", "npm");
  const npm = spawnSync("npm", ["--version"], { encoding: "utf8" });
  if (npm.status === 0) metadata.set("packagemanagerVersion", npm.stdout.trim());
  try {
    const version = readJson(resolveFrom(programDirectory, "typescript/package.json"));
    if (typeof version === "object" && version !== null && "version" in version) {
      metadata.set("typescriptVersion", String(version.version));
    }
  } catch {
    // A program without TypeScript has no such line.
  }
  return response;
}

/** Installs the program's dependencies with npm: exactly those of the lock file where there is one. */
export function installDependencies(
  call: ServerWritableStream<InstallDependenciesRequest, InstallDependenciesResponse>,
): void {
  const info = call.request.getInfo();
  const directory = nonEmpty(info?.getProgramDirectory()) ?? call.request.getDirectory();
  let child;
  try {
    const command = existsSync(join(directory, "package-lock.json")) ? "ci" : "install";
    const omit = optionsOf(info).production ? ["--omit=dev"] : [];
    child = track(spawn("npm", [command, ...omit], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] }));
  } catch (error) {
    failCall(call, error);
    return;
  }
  const started = child;
  let failed = false;
  started.stdout?.on("data", (chunk: Buffer) => {
    const response = new InstallDependenciesResponse();
    response.setStdout(chunk);
    call.write(response);
  });
  started.stderr?.on("data", (chunk: Buffer) => {
    const response = new InstallDependenciesResponse();
    response.setStderr(chunk);
    call.write(response);
  });
  started.once("error", (error) => {
    failed = true;
    failCall(call, new Error(`npm could not be started: ${error.message}`));
  });
  started.once("close", (code) => {
    if (failed) return;
    if (code === 0) call.end();
    else
      failCall(call, new Error(`npm failed in ${directory} with exit code ${String(code)}; see its output`));
  });
  call.on("cancelled", () => interrupt(started));
}
