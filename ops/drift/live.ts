import {
  ApiException,
  AutoscalingV2Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import { z } from "zod";
import { unlessMissing } from "../../common/unlessMissing";
import { isMapping, type Mapping } from "../../settings/mapping";
import type { ObjectManifest } from "./subset";

const listed = z.object({ items: z.array(z.record(z.string(), z.unknown())) });

const named = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** Objects as the API server answers them: the client's own classes rename fields and make dates of texts. */
class PlainObjects extends KubernetesObjectApi {
  static of(config: KubeConfig): PlainObjects {
    const api = config.makeApiClient(PlainObjects);
    api.setDefaultNamespace(config);
    return api;
  }

  protected override async processResponse<T extends KubernetesObject>(
    response: Parameters<KubernetesObjectApi["processResponse"]>[0],
    type?: string,
  ): Promise<T> {
    const succeeded = response.httpStatusCode >= 200 && response.httpStatusCode < 300;
    // Only what is read for its own sake has no type; discovery has one.
    if (type !== undefined || !succeeded) return super.processResponse<T>(response, type);
    // Whoever calls checks what it is: LiveObjects.read.
    return JSON.parse(await response.body.text()) as T;
  }
}

/** Reads and creates live objects; a namespace is left away where the kind has none. */
export class LiveObjects {
  private readonly objects: PlainObjects;
  private readonly scaledIn = new Map<string, Promise<Set<string>>>();

  constructor(private readonly config: KubeConfig) {
    this.objects = PlainObjects.of(config);
  }

  /** @throws ApiException when the server refuses it */
  async create(object: ObjectManifest & { readonly metadata: { readonly name: string } }): Promise<void> {
    await this.objects.create(object);
  }

  /**
   * @returns undefined if there is no such object, or no such type
   * @throws ApiException when the server does not answer it
   */
  async read(manifest: ObjectManifest): Promise<Mapping | undefined> {
    const { apiVersion, kind } = manifest;
    const { name, namespace } = named.parse(manifest).metadata;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const found: unknown = await unlessMissing(this.objects.read({ apiVersion, kind, metadata }));
    return isMapping(found) ? found : undefined;
  }

  /**
   * The objects of a kind in a namespace.
   * @throws ApiException when the server does not answer it
   */
  async list(apiVersion: string, kind: string, namespace: string): Promise<ObjectManifest[]> {
    const answer: unknown = await this.objects.list(apiVersion, kind, namespace);
    // The items of a list do not say what they are.
    return listed.parse(answer).items.map((item) => ({ ...item, apiVersion, kind }));
  }

  /**
   * `Deployment/name` of what autoscalers of a namespace scale.
   * @throws ApiException when the server does not answer it
   */
  scaled(namespace: string): Promise<Set<string>> {
    const known = this.scaledIn.get(namespace) ?? this.readScaled(namespace);
    this.scaledIn.set(namespace, known);
    return known;
  }

  private async readScaled(namespace: string): Promise<Set<string>> {
    const { items } = await this.config
      .makeApiClient(AutoscalingV2Api)
      .listNamespacedHorizontalPodAutoscaler({ namespace });
    return new Set(
      items.flatMap(({ spec }) =>
        spec === undefined ? [] : [`${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`],
      ),
    );
  }
}

/** Why something could not be read. */
export function readFailure(error: unknown): string {
  if (error instanceof ApiException)
    return `the API server answers ${error.code} (may this identity read it?)`;
  return error instanceof Error ? error.message : String(error);
}
