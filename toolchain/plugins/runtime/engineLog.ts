import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Sends messages about one resource to the user's terminal. */
export interface ResourceLog {
  /** Shown while the operation runs, not kept. */
  readonly status: (message: string) => void;
  readonly info: (message: string) => void;
  readonly warning: (message: string) => void;
}

/** Log that goes to the engine; without an address (plugin started by hand) messages are dropped. */
export class EngineLog {
  private client: EngineClient | undefined;
  /** The message before, so that messages arrive in order. */
  private previous = Promise.resolve();

  constructor(private readonly address: string | undefined) {}

  forResource(urn: string): ResourceLog {
    return {
      status: (message) => {
        this.send(urn, message, LogSeverity.INFO, true);
      },
      info: (message) => {
        this.send(urn, message, LogSeverity.INFO, false);
      },
      warning: (message) => {
        this.send(urn, message, LogSeverity.WARNING, false);
      },
    };
  }

  /** Settles when the engine has every message that was sent so far. */
  async flush(): Promise<void> {
    await this.previous;
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
    const client = this.client;
    this.previous = this.previous.then(
      () =>
        new Promise((resolve) => {
          // A lost log line must not fail the operation that it is about.
          client.log(request, () => {
            resolve();
          });
        }),
    );
  }
}
