import type { ServerWritableStream } from "@grpc/grpc-js";
import { ProgramInfo, type RunPluginRequest, RunPluginResponse } from "@pulumi/pulumi/proto/language_pb";
import { interrupt, resolveFrom, startNode } from "./children";
import { optionsOf, typescriptEnvironment } from "./options";
import { failCall } from "./status";

/** `NAME=value` lines as an object; the first `=` separates. */
function environment(lines: readonly string[]): NodeJS.ProcessEnv {
  if (lines.length === 0) return process.env;
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

/**
 * Runs a plugin written for Node: a policy pack (kind `analyzer`) or a provider from source.
 *
 * A policy pack takes its folder as the last argument and runs inside it; a provider takes it as the first and
 * runs where the engine says.
 */
export function runPlugin(call: ServerWritableStream<RunPluginRequest, RunPluginResponse>): void {
  const { request } = call;
  const info = request.getInfo() ?? new ProgramInfo();
  const directory = info.getProgramDirectory();
  const policyPack = request.getKind() === "analyzer";
  let child;
  try {
    const options = optionsOf(info);
    const entry = policyPack ? "run-policy-pack" : "run-plugin";
    const module = resolveFrom(directory, `@pulumi/pulumi/cmd/${entry}`);
    const args = request.getArgsList();
    child = startNode(
      [...options.nodeargs, module, ...(policyPack ? [...args, directory] : [directory, ...args])],
      {
        cwd: policyPack ? directory : request.getPwd() || directory,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...environment(request.getEnvList()), ...typescriptEnvironment(options) },
      },
    );
  } catch (error) {
    failCall(call, error);
    return;
  }
  const started = child;
  started.stdout?.on("data", (chunk: Buffer) => {
    const response = new RunPluginResponse();
    response.setStdout(chunk);
    call.write(response);
  });
  started.stderr?.on("data", (chunk: Buffer) => {
    const response = new RunPluginResponse();
    response.setStderr(chunk);
    call.write(response);
  });
  started.once("error", (error) => failCall(call, error));
  started.once("close", (code) => {
    const response = new RunPluginResponse();
    response.setExitcode(code ?? 1);
    call.write(response);
    call.end();
  });
  call.on("cancelled", () => interrupt(started));
}
