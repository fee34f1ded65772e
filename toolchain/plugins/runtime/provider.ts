import {
  type sendUnaryData,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { EngineLog } from "./engineLog";
import type { PluginMetadata } from "./metadata";
import { fromStruct, isMap, type PropertyMap, toStruct } from "./properties";
import type {
  CheckFailure,
  Difference,
  OperationContext,
  ProviderDefinition,
  ResourceType,
} from "./resource";
import { providerSchema } from "./schema";
import { engineAddress, serve } from "./serve";

const KINDS = {
  add: [proto.PropertyDiff.Kind.ADD, proto.PropertyDiff.Kind.ADD_REPLACE],
  delete: [proto.PropertyDiff.Kind.DELETE, proto.PropertyDiff.Kind.DELETE_REPLACE],
  update: [proto.PropertyDiff.Kind.UPDATE, proto.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

/** Adapts an asynchronous handler to gRPC; what it throws becomes the error that the user reads. */
function unary<Request, Response>(handle: (request: Request) => Promise<Response> | Response) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    void Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            code: status.UNKNOWN,
            details: error instanceof Error ? error.message : String(error),
          }),
      );
  };
}

function checkResponse(inputs: PropertyMap, failures: readonly CheckFailure[]): proto.CheckResponse {
  const response = new proto.CheckResponse();
  response.setInputs(toStruct(inputs));
  for (const { property, reason } of failures) {
    const failure = new proto.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    response.addFailures(failure);
  }
  return response;
}

function diffResponse(differences: readonly Difference[]): proto.DiffResponse {
  const response = new proto.DiffResponse();
  response.setHasdetaileddiff(true);
  response.setChanges(
    differences.length > 0
      ? proto.DiffResponse.DiffChanges.DIFF_SOME
      : proto.DiffResponse.DiffChanges.DIFF_NONE,
  );
  for (const { property, kind, replace } of differences) {
    const detail = new proto.PropertyDiff();
    detail.setKind(KINDS[kind][replace ? 1 : 0]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(property, detail);
    response.addDiffs(property);
    if (replace) response.addReplaces(property);
  }
  return response;
}

/** The type token inside `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/**
 * gRPC handlers of a resource provider.
 *
 * The server in `@pulumi/pulumi/provider` (3.248) does not serve what the official plugins do: it gives a provider
 * neither its configuration nor the engine's "this is a preview", so an image's tag would be unknown in each preview,
 * and answers a diff without its properties, which preview reports are made from.
 */
class ProviderHandlers {
  readonly cancellation = new AbortController();

  constructor(
    private readonly metadata: PluginMetadata,
    private readonly definition: ProviderDefinition,
    private readonly log: EngineLog,
  ) {}

  implementation(): UntypedServiceImplementation {
    return {
      getPluginInfo: unary<Empty, plugin.PluginInfo>(() => {
        const info = new plugin.PluginInfo();
        info.setVersion(this.metadata.version);
        return info;
      }),
      getSchema: unary<proto.GetSchemaRequest, proto.GetSchemaResponse>(() => {
        const response = new proto.GetSchemaResponse();
        response.setSchema(JSON.stringify(providerSchema(this.metadata, this.definition)));
        return response;
      }),
      checkConfig: unary<proto.CheckRequest, proto.CheckResponse>((request) => this.checkConfig(request)),
      diffConfig: unary<proto.DiffRequest, proto.DiffResponse>(() => diffResponse([])),
      configure: unary<proto.ConfigureRequest, proto.ConfigureResponse>((request) => {
        this.definition.configure?.(fromStruct(request.getArgs()));
        const response = new proto.ConfigureResponse();
        response.setSupportspreview(true);
        return response;
      }),
      invoke: unary<proto.InvokeRequest, proto.InvokeResponse>((request) => {
        throw this.unsupported("function", request.getTok());
      }),
      check: unary<proto.CheckRequest, proto.CheckResponse>(async (request) => {
        const urn = request.getUrn();
        const result = await this.type(urn).check(fromStruct(request.getNews()), this.context(urn));
        return checkResponse(result.inputs, result.failures);
      }),
      diff: unary<proto.DiffRequest, proto.DiffResponse>((request) =>
        diffResponse(
          this.type(request.getUrn()).diff(fromStruct(request.getOlds()), fromStruct(request.getNews())),
        ),
      ),
      create: unary<proto.CreateRequest, proto.CreateResponse>((request) => this.create(request)),
      read: unary<proto.ReadRequest, proto.ReadResponse>((request) => this.read(request)),
      update: unary<proto.UpdateRequest, proto.UpdateResponse>((request) => this.update(request)),
      delete: unary<proto.DeleteRequest, Empty>(() => new Empty()),
      cancel: unary<Empty, Empty>(() => {
        this.cancellation.abort();
        return new Empty();
      }),
    };
  }

  private context(urn: string): OperationContext {
    return { urn, log: this.log.forResource(urn), signal: this.cancellation.signal };
  }

  private type(urn: string): ResourceType {
    const token = typeOf(urn);
    const type = this.definition.types[token];
    if (!type) throw this.unsupported("resource type", token);
    return type;
  }

  private unsupported(what: string, token: string): Error {
    const { name, version } = this.metadata;
    return new Error(
      `${what} ${token} is not among those that this substitute for the ${name} plugin serves ` +
        `(${Object.keys(this.definition.types).join(", ")}). Install the official plugin where its download ` +
        `can be reached: pulumi plugin install resource ${name} v${version} --reinstall`,
    );
  }

  private checkConfig(request: proto.CheckRequest): proto.CheckResponse {
    const inputs = fromStruct(request.getNews());
    const failures = Object.keys(inputs)
      .filter((key) => key !== "version" && key !== "pluginDownloadURL")
      .filter((key) => !this.definition.configuration.includes(key))
      .map((property) => ({
        property,
        reason:
          `not supported by this substitute for the ${this.metadata.name} plugin; ` +
          `supported: ${this.definition.configuration.join(", ") || "none"}`,
      }));
    return checkResponse(inputs, failures);
  }

  /** Runs an operation; its messages reach the user before its result does. */
  private async logged<Result>(operation: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await operation();
    } finally {
      await this.log.flush();
    }
  }

  private async create(request: proto.CreateRequest): Promise<proto.CreateResponse> {
    const urn = request.getUrn();
    const inputs = fromStruct(request.getProperties());
    const type = this.type(urn);
    const { id, state } = await this.logged(() =>
      type.create(inputs, request.getPreview(), this.context(urn)),
    );
    const response = new proto.CreateResponse();
    response.setId(id);
    response.setProperties(toStruct(state));
    return response;
  }

  private async update(request: proto.UpdateRequest): Promise<proto.UpdateResponse> {
    const urn = request.getUrn();
    const type = this.type(urn);
    if (!type.update) throw new Error(`${typeOf(urn)} cannot be updated in place: every change replaces it`);
    const update = type.update.bind(type);
    const inputs = fromStruct(request.getNews());
    const state = await this.logged(() => update(inputs, request.getPreview(), this.context(urn)));
    const response = new proto.UpdateResponse();
    response.setProperties(toStruct(state));
    return response;
  }

  /** Nothing outside the state can drift, so a refresh gives back what it was given. */
  private async read(request: proto.ReadRequest): Promise<proto.ReadResponse> {
    const response = new proto.ReadResponse();
    response.setId(request.getId());
    const state = fromStruct(request.getProperties());
    if (isMap(state) && Object.keys(state).length > 0) {
      response.setProperties(request.getProperties());
      response.setInputs(request.getInputs());
      return response;
    }
    const type = this.type(request.getUrn());
    if (!type.adopt) throw new Error(`${typeOf(request.getUrn())} cannot be imported`);
    const adopted = await type.adopt(request.getId());
    response.setId(adopted.id);
    response.setProperties(toStruct(adopted.state));
    response.setInputs(toStruct(adopted.inputs));
    return response;
  }
}

/**
 * Runs a resource provider in this process until the engine ends it.
 *
 * Secrets: the provider asks the engine for plain inputs and marks its own secret outputs; the engine marks
 * those outputs again whose input of the same name was secret. This is how the official plugins do it.
 */
export function serveProvider(metadata: PluginMetadata, definition: ProviderDefinition): void {
  const handlers = new ProviderHandlers(metadata, definition, new EngineLog(engineAddress()));
  serve(ResourceProviderService, handlers.implementation(), () => handlers.cancellation.abort());
}
