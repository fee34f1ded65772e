import { credentials } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { fromStruct, type PropertyMap, toStruct } from "../../../toolchain/plugins/runtime/properties";
import { call } from "./pluginProcess";

/** What a diff says, property by property. */
export interface DiffResult {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly kinds: Readonly<Record<string, number>>;
}

/** A resource provider as the engine sees it. */
export class Provider {
  private readonly client: ResourceProviderClient;

  /** @param urn URN of the resource that the calls are about. */
  constructor(
    address: string,
    private readonly urn: string,
  ) {
    this.client = new ResourceProviderClient(address, credentials.createInsecure());
  }

  close(): void {
    this.client.close();
  }

  info(): Promise<PluginInfo> {
    return call((callback) => this.client.getPluginInfo(new Empty(), callback));
  }

  async schema(): Promise<unknown> {
    const response = await call<proto.GetSchemaResponse>((callback) =>
      this.client.getSchema(new proto.GetSchemaRequest(), callback),
    );
    return JSON.parse(response.getSchema());
  }

  async configure(values: PropertyMap): Promise<{ failures: string[]; response: proto.ConfigureResponse }> {
    const check = new proto.CheckRequest();
    check.setNews(toStruct(values));
    const checked = await call<proto.CheckResponse>((callback) => this.client.checkConfig(check, callback));
    const request = new proto.ConfigureRequest();
    request.setArgs(toStruct(values));
    request.setAcceptsecrets(true);
    const response = await call<proto.ConfigureResponse>((callback) =>
      this.client.configure(request, callback),
    );
    return { failures: checked.getFailuresList().map((failure) => failure.getProperty()), response };
  }

  async invoke(token: string, args: PropertyMap): Promise<PropertyMap> {
    const request = new proto.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct(args));
    const response = await call<proto.InvokeResponse>((callback) => this.client.invoke(request, callback));
    return fromStruct(response.getReturn());
  }

  async check(inputs: PropertyMap): Promise<{ inputs: PropertyMap; failures: string[] }> {
    const request = new proto.CheckRequest();
    request.setUrn(this.urn);
    request.setNews(toStruct(inputs));
    const response = await call<proto.CheckResponse>((callback) => this.client.check(request, callback));
    const failures = response.getFailuresList();
    return {
      inputs: fromStruct(response.getInputs()),
      failures: failures.map((failure) => `${failure.getProperty()}: ${failure.getReason()}`),
    };
  }

  async create(inputs: PropertyMap, preview = false): Promise<{ id: string; state: PropertyMap }> {
    const request = new proto.CreateRequest();
    request.setUrn(this.urn);
    request.setProperties(toStruct(inputs));
    request.setPreview(preview);
    const response = await call<proto.CreateResponse>((callback) => this.client.create(request, callback));
    return { id: response.getId(), state: fromStruct(response.getProperties()) };
  }

  async update(state: PropertyMap, inputs: PropertyMap, preview = false): Promise<PropertyMap> {
    const request = new proto.UpdateRequest();
    request.setUrn(this.urn);
    request.setOlds(toStruct(state));
    request.setNews(toStruct(inputs));
    request.setPreview(preview);
    const response = await call<proto.UpdateResponse>((callback) => this.client.update(request, callback));
    return fromStruct(response.getProperties());
  }

  async diff(state: PropertyMap, inputs: PropertyMap): Promise<DiffResult> {
    const request = new proto.DiffRequest();
    request.setUrn(this.urn);
    request.setOlds(toStruct(state));
    request.setNews(toStruct(inputs));
    const response = await call<proto.DiffResponse>((callback) => this.client.diff(request, callback));
    const details = [...response.getDetaileddiffMap().entries()];
    return {
      changes: response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      kinds: Object.fromEntries(details.map(([property, detail]) => [property, detail.getKind()])),
    };
  }

  /** Without state: an import. */
  async read(
    id: string,
    state: PropertyMap = {},
  ): Promise<{ id: string; state: PropertyMap; inputs: PropertyMap }> {
    const request = new proto.ReadRequest();
    request.setUrn(this.urn);
    request.setId(id);
    request.setProperties(toStruct(state));
    const response = await call<proto.ReadResponse>((callback) => this.client.read(request, callback));
    return {
      id: response.getId(),
      state: fromStruct(response.getProperties()),
      inputs: fromStruct(response.getInputs()),
    };
  }
}

/** URN of a resource of the given type. */
export function urnOf(type: string): string {
  return `urn:pulumi:local::temporal-stack::temporal-stack:index:Secrets$${type}::test`;
}

/** The plain value under a secret mark; undefined if it is not marked. */
export function revealed(value: unknown): unknown {
  const marked =
    typeof value === "object" &&
    value !== null &&
    "4dabf18193072939515e22adb298388d" in value &&
    value["4dabf18193072939515e22adb298388d"] === "1b47061264138c4ac30d75fd1eb44270" &&
    "value" in value;
  return marked ? value.value : undefined;
}
