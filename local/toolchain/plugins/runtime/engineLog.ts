import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Sends messages about one resource to the user's terminal. */
export interface ResourceLog {
  /** Shown while the operation runs, not kept. */
  status(message: string): void;
  info(message: string): void;
  warning(message: string): void;
}

/** Log that goes to the engine; without an address (plugin started by hand) messages are dropped. */
export class EngineLog {
  private client: EngineClient | undefined;

  constructor(private readonly address: string | undefined) {}

  forResource(urn: string): ResourceLog {
    return {
      status: (message) => this.send(urn, message, LogSeverity.INFO, true),
      info: (message) => this.send(urn, message, LogSeverity.INFO, false),
      warning: (message) => this.send(urn, message, LogSeverity.WARNING, false),
    };
  }

  private send(
    urn: string,
    message: string,
    severity: LogRequest.AsObject["severity"],
    ephemeral: boolean,
  ): void {
    if (this.address === undefined) return;
    this.client ??= new EngineClient(this.address, credentials.createInsecure());
    const request = new LogRequest();
    request.setUrn(urn);
    request.setMessage(message);
    request.setSeverity(severity);
    request.setEphemeral(ephemeral);
    this.client.log(request, () => {
      // A lost log line must not fail the operation that it is about.
    });
  }
}
