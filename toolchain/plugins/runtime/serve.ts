import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** How often a plugin looks whether its engine is still there, in milliseconds. */
const ORPHAN_CHECK_MS = 500;

/**
 * Serves one gRPC service on a loopback port and announces the port on stdout, which is how the engine
 * finds a plugin that it has started.
 *
 * @param service Definition from the stubs in `@pulumi/pulumi/proto`.
 * @param implementation Handlers; a method that is missing answers UNIMPLEMENTED, which the engine understands.
 * @param onOrphaned Called when the engine has died without ending the plugin, before the process exits.
 */
export function serve(
  service: ServiceDefinition,
  implementation: UntypedServiceImplementation,
  onOrphaned: () => void,
): void {
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(service, implementation);
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${String(port)}\n`);
  });
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid === engine) return;
    onOrphaned();
    process.exit(1);
  }, ORPHAN_CHECK_MS).unref();
}

/** Address of the engine: the last argument that is not a flag. */
export function engineAddress(): string | undefined {
  return process.argv
    .slice(2)
    .filter((argument) => !argument.startsWith("-"))
    .at(-1);
}
