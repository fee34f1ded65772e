import type * as pulumi from "@pulumi/pulumi";
import * as messages from "@pulumi/pulumi/proto/resource_pb";
import { CallbackServer } from "@pulumi/pulumi/runtime/callbacks";

type Callback = (request: Uint8Array) => Promise<messages.TransformResponse>;

/**
 * What the engine does with resource transforms: it calls them on each registration, before anything else sees it. They
 * are called through the SDK's own code for both directions of the wire, without the port between them.
 */
export class EmulatedTransforms {
  private readonly callbacks: Promise<Callback>[] = [];

  get none(): boolean {
    return this.callbacks.length === 0;
  }

  add(transform: pulumi.ResourceTransform): void {
    this.callbacks.push(callbackOf(transform));
  }

  /** Puts what the transforms make of the inputs into a request for a registration. */
  async apply(request: messages.RegisterResourceRequest): Promise<void> {
    const message = new messages.TransformRequest();
    message.setType(request.getType());
    message.setName(request.getName());
    message.setCustom(request.getCustom());
    message.setParent(request.getParent());
    message.setProperties(request.getObject());
    message.setOptions(new messages.TransformResourceOptions());
    for (const callback of this.callbacks) {
      const response = await (await callback)(message.serializeBinary());
      message.setProperties(response.getProperties());
    }
    request.setObject(message.getProperties());
  }
}

async function callbackOf(transform: pulumi.ResourceTransform): Promise<Callback> {
  const callbacks = new Map<string, Callback>();
  const server: unknown = Object.create(CallbackServer.prototype, {
    _callbacks: { value: callbacks },
    _target: { value: Promise.resolve("nowhere") },
  });
  const register: unknown = Reflect.get(Object(server), "registerTransform");
  if (typeof register !== "function")
    throw new Error("the SDK has no registerTransform any more: adapt this file");
  await Reflect.apply(register, server, [transform]);
  const [callback] = callbacks.values();
  if (callback === undefined) throw new Error("the SDK keeps its callbacks elsewhere: adapt this file");
  return callback;
}
