import { type ServerWritableStream, status } from "@grpc/grpc-js";

/** Ends a streaming call with an error that the user reads. */
export function failCall<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  error: unknown,
): void {
  const message = error instanceof Error ? error.message : String(error);
  call.emit("error", { code: status.UNKNOWN, details: message });
}
