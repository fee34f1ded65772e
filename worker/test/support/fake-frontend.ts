import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { handleUnaryCall, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { temporal } from "@temporalio/proto";

const { DescribeNamespaceResponse } = temporal.api.workflowservice.v1;
const SERVICE = "temporal.api.workflowservice.v1.WorkflowService";

/** What a worker calls while it has nothing to do. What is not here is answered UNIMPLEMENTED. */
const METHODS = [
  "GetSystemInfo",
  "DescribeNamespace",
  "PollWorkflowTaskQueue",
  "PollActivityTaskQueue",
  "PollNexusTaskQueue",
  "RecordWorkerHeartbeat",
  "ShutdownWorker",
] as const;
export type Method = (typeof METHODS)[number] | "Check";
export const POLLS: readonly Method[] = ["PollWorkflowTaskQueue", "PollActivityTaskQueue"];

/** The empty message of protobuf, which is every response with nothing set. */
const EMPTY = Buffer.alloc(0);

/**
 * A Temporal frontend without tasks: polls stay open. Each method can be made to fail as servers, proxies and Temporal
 * Cloud do; the gRPC in between is real.
 */
export class FakeFrontend {
  private readonly server = new Server();
  private readonly failures = new Map<Method, status>();
  private readonly mute = new Set<Method>();
  private readonly openPolls = new Set<() => void>();
  /** In the order in which they came. */
  readonly calls: Method[] = [];
  /** What each method was last asked with, as far as compression and credentials go. */
  readonly headers = new Map<Method, ReadonlyMap<string, string>>();
  address = "";

  static async start(): Promise<FakeFrontend> {
    const frontend = new FakeFrontend();
    frontend.serve(SERVICE, METHODS);
    frontend.serve("grpc.health.v1.Health", ["Check"]);
    const port = await new Promise<number>((resolve, reject) => {
      frontend.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    frontend.address = `127.0.0.1:${port}`;
    return frontend;
  }

  /** From now on; polls that are open end with it, too. */
  fail(methods: readonly Method[], code: status): void {
    for (const method of methods) this.failures.set(method, code);
    for (const end of this.openPolls) end();
    this.openPolls.clear();
  }

  /** From now on calls of this method are never answered. */
  silence(method: Method): void {
    this.mute.add(method);
  }

  mend(): void {
    this.failures.clear();
  }

  stop(): void {
    this.server.forceShutdown();
  }

  private serve(service: string, methods: readonly Method[]): void {
    const raw = (bytes: Buffer): Buffer => bytes;
    const definition: ServiceDefinition = Object.fromEntries(
      methods.map((method) => [
        method,
        {
          path: `/${service}/${method}`,
          requestStream: false,
          responseStream: false,
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      ]),
    );
    const handlers: UntypedServiceImplementation = Object.fromEntries(
      methods.map((method) => [method, this.handler(method)]),
    );
    this.server.addService(definition, handlers);
  }

  private handler(method: Method): handleUnaryCall<Buffer, Buffer> {
    return (call, respond) => {
      this.calls.push(method);
      const headers = Object.entries(call.metadata.getMap());
      this.headers.set(method, new Map(headers.map(([name, value]) => [name, value.toString()])));
      const answer = (): void => {
        const code = this.failures.get(method);
        if (code === undefined) respond(null, this.response(method));
        else respond({ code, details: `${method} refused` });
      };
      if (this.mute.has(method)) return;
      if (!method.startsWith("Poll") || this.failures.has(method)) answer();
      else this.openPolls.add(answer);
    };
  }

  private response(method: Method): Buffer {
    if (method !== "DescribeNamespace") return EMPTY;
    return Buffer.from(DescribeNamespaceResponse.encode({ namespaceInfo: { name: "default" } }).finish());
  }
}
