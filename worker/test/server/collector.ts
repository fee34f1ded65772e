import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { parse } from "protobufjs";
import { z } from "zod";

/** What these tests look at of opentelemetry-proto: the trace service, trace, resource and common. */
const { root } = parse(`
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    repeated KeyValue attributes = 9;
  }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
  }
`);
const requestType = root.lookupType("ExportTraceServiceRequest");

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()).default({}) });
const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              name: z.string(),
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().default(""),
              attributes: z.array(attribute).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A span as it arrived; ids in hexadecimal. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
const values = (attributes: z.output<typeof attribute>[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Receives spans over OTLP (HTTP, protobuf), decoded by the protocol's schema. */
export class Collector {
  readonly spans: ReceivedSpan[] = [];
  /** Everything, undecoded. */
  received = "";
  readonly authorizations = new Set<string | undefined>();
  private readonly server: Server = createServer((message, response) => {
    void this.receive(message).then((status) => response.writeHead(status).end());
  });

  /** @param port 0: a free one */
  async listen(port = 0): Promise<void> {
    this.server.listen(port, "127.0.0.1");
    await once(this.server, "listening");
  }

  get endpoint(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP port");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private async receive(message: IncomingMessage): Promise<number> {
    if (message.url !== "/v1/traces" || message.headers["content-type"] !== "application/x-protobuf")
      return 400;
    this.authorizations.add(message.headers.authorization);
    const body = await bodyOf(message);
    this.received += body.toString("latin1");
    const decoded = requestType.toObject(requestType.decode(body), {
      bytes: String,
      longs: String,
    });
    for (const { resource, scopeSpans } of request.parse(decoded).resourceSpans) {
      const service = String(values(resource.attributes)["service.name"]);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          service,
          name: span.name,
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          attributes: values(span.attributes),
        });
      }
    }
    return 200;
  }
}
