import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { ProgramInfo, type RunRequest, RunResponse } from "@pulumi/pulumi/proto/language_pb";
import { interrupt, resolveFrom, startNode } from "./children";
import { optionsOf, typescriptEnvironment } from "./options";

/** Exit code by which the SDK says that it has already told the user what is wrong. */
const LOGGED_EXIT = 32;

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined || value === "" ? [] : [`--${name}`, String(value)];
}

/** Configuration in the form that the SDK reads: `<namespace>:config:<name>`. */
function configuration(request: RunRequest): string {
  const values: Record<string, string> = {};
  request.getConfigMap().forEach((value, key) => {
    const colon = key.indexOf(":");
    values[`${key.slice(0, colon)}:config:${key.slice(colon + 1)}`] = value;
  });
  return JSON.stringify(values);
}

/** Arguments for node: its own, the SDK's entry point, what the SDK needs to know, the program, its arguments. */
function programArguments(request: RunRequest, info: ProgramInfo, engine: string | undefined): string[] {
  const directory = info.getProgramDirectory();
  return [
    ...optionsOf(info).nodeargs,
    resolveFrom(directory, "@pulumi/pulumi/cmd/run"),
    ...flag("monitor", request.getMonitorAddress()),
    ...flag("engine", engine),
    ...flag("organization", request.getOrganization()),
    ...flag("project", request.getProject()),
    ...flag("root-directory", info.getRootDirectory()),
    ...flag("stack", request.getStack()),
    ...flag("pwd", directory),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    ...flag("parallel", request.getParallel()),
    info.getEntryPoint(),
    ...request.getArgsList(),
  ];
}

function failure(message: string): RunResponse {
  const response = new RunResponse();
  response.setError(message);
  return response;
}

/** What the engine is told about a program that has ended. */
export function outcome(code: number | null, signal: NodeJS.Signals | null): RunResponse {
  if (code === 0) return new RunResponse();
  if (code === LOGGED_EXIT) {
    const response = new RunResponse();
    response.setBail(true);
    return response;
  }
  if (signal === "SIGABRT") {
    return failure(
      "Program aborted, most likely out of memory: raise the limit in Pulumi.yaml with " +
        'runtime.options.nodeargs: "--max-old-space-size=4096"',
    );
  }
  return failure(
    signal ? `Program ended by ${signal}` : `Program exited with non-zero exit code: ${String(code)}`,
  );
}

/**
 * Runs the Pulumi program and answers when it has ended.
 *
 * The program talks to the engine directly; there is no proxy in between, so that everything the SDK knows works.
 */
export function run(
  engine: string | undefined,
  call: ServerUnaryCall<RunRequest, RunResponse>,
  callback: sendUnaryData<RunResponse>,
): void {
  const { request } = call;
  const info = request.getInfo() ?? new ProgramInfo();
  let child;
  try {
    child = startNode(programArguments(request, info, engine), {
      cwd: info.getProgramDirectory(),
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: configuration(request),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        ...typescriptEnvironment(optionsOf(info)),
      },
    });
  } catch (error) {
    callback(null, failure(error instanceof Error ? error.message : String(error)));
    return;
  }
  const started = child;
  call.on("cancelled", () => interrupt(started));
  started.once("error", (error) => callback(null, failure(`Program could not be started: ${error.message}`)));
  started.once("close", (code, signal) => callback(null, outcome(code, signal)));
}
