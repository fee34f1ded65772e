import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  type KubeConfig,
  NetworkingV1Api,
  StorageV1Api,
  type V1Container,
  type V1Node,
  type V1ObjectMeta,
  type V1Pod,
  V1ResourceAttributes,
  V1SelfSubjectAccessReview,
  V1SelfSubjectAccessReviewSpec,
  VersionApi,
} from "@kubernetes/client-node";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { unlessMissing } from "../../common/unlessMissing";
import { ownNamespaces } from "../../components/manifests/flows";
import type { ExistingObject } from "../../components/manifests/existingObjects";
import { type Labels, STACK_LABEL } from "../../components/manifests/labels";
import type { Settings } from "../../settings/settings";
import type { Access } from "./checks/permissions";
import { DOCKER_CONFIG } from "./existingObjects";
import { amountOf } from "./quantity";
import type { StorageClass } from "./checks/storage";
import type { NodeRoom } from "./checks/nodes";

const dockerConfig = z.object({
  auths: z.record(
    z.string(),
    z.object({
      auth: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
    }),
  ),
});
const FORBIDDEN = 403;
const UNAVAILABLE = 503;

/** A Secret, ConfigMap or ServiceAccount without its values. */
export interface Keys {
  /** Type of a Secret. */
  readonly type?: string | undefined;
  readonly keys: readonly string[];
  /** The stack that made a ServiceAccount, if one did. */
  readonly stack?: string | undefined;
}

/** A Service, as far as it says where something is reached. */
export interface ServiceAddress {
  readonly name: string;
  readonly clusterIps: readonly string[];
  readonly ports: readonly number[];
}

/** Where a Service leads to. */
export interface Endpoint {
  readonly address: string;
  readonly ports: readonly number[];
  /** The pod behind it; undefined where it is none. */
  readonly pod?: string | undefined;
}

/** Reads a cluster and changes nothing in it. */
export class ClusterReader {
  private readonly core: CoreV1Api;

  constructor(private readonly config: KubeConfig) {
    this.core = config.makeApiClient(CoreV1Api);
  }

  /** @returns as `v1.34.9` */
  async version(): Promise<string> {
    return (await this.config.makeApiClient(VersionApi).getCode()).gitVersion;
  }

  /** UID of namespace kube-system, which lives as long as the cluster. */
  async uid(): Promise<string | undefined> {
    return (await this.core.readNamespace({ name: "kube-system" })).metadata?.uid;
  }

  /** Labels of a namespace; undefined if there is none, or nobody may see it. */
  async namespaceLabels(name: string): Promise<Labels | undefined> {
    try {
      const namespace = await unlessMissing(this.core.readNamespace({ name }));
      return namespace === undefined ? undefined : (namespace.metadata?.labels ?? {});
    } catch (error) {
      // Who may see its own namespaces only, may not see that one is missing.
      if (error instanceof ApiException && error.code === FORBIDDEN) return undefined;
      throw error;
    }
  }

  /** Whether this identity may do something. */
  async may({ verb, group, resource, subresource, name, namespace }: Access): Promise<boolean> {
    const attributes = { verb, group, resource, subresource, name, namespace };
    const resourceAttributes = Object.assign(new V1ResourceAttributes(), attributes);
    const spec = Object.assign(new V1SelfSubjectAccessReviewSpec(), { resourceAttributes });
    const body = Object.assign(new V1SelfSubjectAccessReview(), { spec });
    const { status } = await this.config
      .makeApiClient(AuthorizationV1Api)
      .createSelfSubjectAccessReview({ body });
    return status?.allowed === true;
  }

  /** Nodes, and what pods that are not the stack's ask of them. */
  async nodes(
    settings: Pick<Settings, "temporal" | "namespaces" | "postgres" | "certManager">,
  ): Promise<NodeRoom[]> {
    const [{ items: nodes }, pods] = await Promise.all([this.core.listNode(), this.podsOfOthers(settings)]);
    return nodes.map((node) => roomOf(node, pods));
  }

  private async podsOfOthers(
    settings: Pick<Settings, "temporal" | "namespaces" | "postgres" | "certManager">,
  ): Promise<V1Pod[] | undefined> {
    const own = ownNamespaces(settings);
    try {
      const { items } = await this.core.listPodForAllNamespaces();
      return items.filter(
        ({ metadata, status }) =>
          !own.includes(metadata?.namespace ?? "") && !/^(Succeeded|Failed)$/.test(status?.phase ?? ""),
      );
    } catch (error) {
      if (error instanceof ApiException && error.code === FORBIDDEN) return undefined;
      throw error;
    }
  }

  /** What makes nodes when pods wait for them, as far as it can be seen; undefined: nothing that is known. */
  async nodesComeBy(): Promise<string | undefined> {
    if ((await this.resources("karpenter.sh", "v1")) !== undefined) return "Karpenter";
    const status = { name: "cluster-autoscaler-status", namespace: "kube-system" };
    const found = await this.core.readNamespacedConfigMap(status).catch(() => undefined);
    return found === undefined ? undefined : "the cluster autoscaler";
  }

  async storageClasses(): Promise<StorageClass[]> {
    const { items } = await this.config.makeApiClient(StorageV1Api).listStorageClass();
    return items.map(({ metadata, provisioner, allowVolumeExpansion, reclaimPolicy, volumeBindingMode }) => ({
      name: metadata?.name ?? "",
      isDefault: hasAnnotation(metadata, [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
      ]),
      provisioner,
      expands: allowVolumeExpansion === true,
      reclaimPolicy: reclaimPolicy ?? "Delete",
      bindingMode: volumeBindingMode ?? "Immediate",
    }));
  }

  async ingressClasses(): Promise<{ readonly name: string; readonly isDefault: boolean }[]> {
    const { items } = await this.config.makeApiClient(NetworkingV1Api).listIngressClass();
    return items.map(({ metadata }) => ({
      name: metadata?.name ?? "",
      isDefault: hasAnnotation(metadata, ["ingressclass.kubernetes.io/is-default-class"]),
    }));
  }

  /**
   * Resources that an API group serves in a version.
   * @returns undefined if it does not; discovery answers every identity
   */
  async resources(group: string, version: string): Promise<string[] | undefined> {
    const api = this.config.makeApiClient(CustomObjectsApi);
    const found = await unlessMissing(api.getAPIResources({ group, version }));
    return found?.resources.map(({ name }) => name);
  }

  /**
   * As {@link resources}, for an API behind which the API server asks another server.
   * @returns "unavailable" if that one does not answer
   */
  async aggregatedResources(group: string, version: string): Promise<string[] | "unavailable" | undefined> {
    try {
      return await this.resources(group, version);
    } catch (error) {
      if (error instanceof ApiException && error.code === UNAVAILABLE) return "unavailable";
      throw error;
    }
  }

  /** Labels and annotations of a resource type; undefined if there is none. */
  async resourceType(name: string): Promise<{ labels: Labels; annotations: Labels } | undefined> {
    const api = this.config.makeApiClient(ApiextensionsV1Api);
    const found = await unlessMissing(api.readCustomResourceDefinition({ name }));
    return found === undefined
      ? undefined
      : { labels: found.metadata?.labels ?? {}, annotations: found.metadata?.annotations ?? {} };
  }

  /** Images of the Deployments with these labels. */
  async deployedImages(namespace: string, labelSelector: string): Promise<string[]> {
    const { items } = await this.config
      .makeApiClient(AppsV1Api)
      .listNamespacedDeployment({ namespace, labelSelector });
    return items.flatMap(({ spec }) => spec?.template.spec?.containers.map(({ image }) => image ?? "") ?? []);
  }

  /** Keys of a Secret or ConfigMap; undefined if there is none. Nothing that is in them is kept. */
  async keysOf(kind: ExistingObject["kind"], namespace: string, name: string): Promise<Keys | undefined> {
    if (kind === "Secret") {
      const secret = await unlessMissing(this.core.readNamespacedSecret({ name, namespace }));
      return secret && { type: secret.type, keys: Object.keys(secret.data ?? {}) };
    }
    if (kind === "ServiceAccount") {
      const account = await unlessMissing(this.core.readNamespacedServiceAccount({ name, namespace }));
      return account && { keys: [], stack: account.metadata?.labels?.[STACK_LABEL] };
    }
    const map = await unlessMissing(this.core.readNamespacedConfigMap({ name, namespace }));
    return map && { keys: Object.keys({ ...map.data, ...map.binaryData }) };
  }

  /** The entry of a registry in a Secret of type `kubernetes.io/dockerconfigjson`; undefined if there is none. */
  async registryLogin(namespace: string, secret: string, registry: string): Promise<string | undefined> {
    const found = await unlessMissing(this.core.readNamespacedSecret({ name: secret, namespace }));
    const text = Buffer.from(found?.data?.[DOCKER_CONFIG] ?? "", "base64").toString();
    const { success, data } = dockerConfig.safeParse(text === "" ? {} : JSON.parse(text));
    if (!success) return undefined;
    const entry = data.auths[registry] ?? data.auths[`https://${registry}`];
    if (entry?.auth !== undefined) return entry.auth;
    return entry?.username === undefined
      ? undefined
      : Buffer.from(`${entry.username}:${entry.password ?? ""}`).toString("base64");
  }

  async service(namespace: string, name: string): Promise<ServiceAddress | undefined> {
    const found = await unlessMissing(this.core.readNamespacedService({ name, namespace }));
    return (
      found && {
        name: `${namespace}/${name}`,
        clusterIps: (found.spec?.clusterIPs ?? []).filter((address) => address !== "None"),
        ports: (found.spec?.ports ?? []).map(({ port }) => port),
      }
    );
  }

  /** @param named ports with such a name only */
  async endpoints(namespace: string, service: string, named = /^/): Promise<Endpoint[]> {
    const { items } = await this.config.makeApiClient(DiscoveryV1Api).listNamespacedEndpointSlice({
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
    });
    return items.flatMap(({ endpoints, ports }) =>
      endpoints.flatMap(({ addresses, targetRef }) =>
        addresses.map((address) => ({
          address,
          ports: (ports ?? []).flatMap(({ name, port }) => (named.test(name ?? "") ? (port ?? []) : [])),
          ...(targetRef?.kind === "Pod" ? { pod: targetRef.name } : {}),
        })),
      ),
    );
  }

  /** Labels of the pods of a namespace, by their names. */
  async podLabels(namespace: string, labelSelector?: string): Promise<Map<string, Labels>> {
    const { items } = await this.core.listNamespacedPod({
      namespace,
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    return new Map(items.map(({ metadata }) => [metadata?.name ?? "", metadata?.labels ?? {}]));
  }
}

const hasAnnotation = (metadata: V1ObjectMeta | undefined, names: readonly string[]): boolean =>
  names.some((name) => metadata?.annotations?.[name] === "true");

function roomOf({ metadata, spec, status }: V1Node, pods: readonly V1Pod[] | undefined): NodeRoom {
  const name = metadata?.name ?? "";
  const labels = metadata?.labels ?? {};
  const has = (resource: string): number => amount(status?.allocatable?.[resource]);
  const there = pods?.filter((pod) => pod.spec?.nodeName === name);
  return {
    name,
    closed: closedBecause(labels, spec, status),
    labels,
    taints: (spec?.taints ?? []).filter(({ effect }) => effect !== "PreferNoSchedule"),
    millicores: has("cpu") * 1000,
    bytes: has("memory"),
    pods: has("pods"),
    others: there && {
      millicores: there.reduce((sum, pod) => sum + requestOf(pod, "cpu") * 1000, 0),
      bytes: there.reduce((sum, pod) => sum + requestOf(pod, "memory"), 0),
      pods: there.length,
    },
  };
}

function closedBecause(labels: Labels, spec: V1Node["spec"], status: V1Node["status"]): string | undefined {
  const system = labels["kubernetes.io/os"] ?? status?.nodeInfo?.operatingSystem ?? "linux";
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (system !== "linux") return `runs ${system}`;
  if (spec?.unschedulable === true) return "cordoned";
  if (ready?.status !== "True") return "not ready";
  return undefined;
}

/** What the scheduler counts of a pod: its containers and sidecars together, or its largest init container. */
function requestOf({ spec }: V1Pod, resource: string): number {
  const all = spec?.initContainers ?? [];
  const sidecars = all.filter(({ restartPolicy }) => restartPolicy === "Always");
  const of = (container: V1Container): number => amount(container.resources?.requests?.[resource]);
  const lasting = [...(spec?.containers ?? []), ...sidecars].reduce(
    (sum, container) => sum + of(container),
    0,
  );
  return Math.max(lasting, ...all.map(of)) + amount(spec?.overhead?.[resource]);
}

const amount = (quantity: string | undefined): number => (quantity === undefined ? 0 : amountOf(quantity));

/** Why something could not be seen, in words of the API server where it is one. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiException) {
    const body: unknown = error.body;
    const text = typeof body === "string" ? (/"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? "") : "";
    return `the API server answers ${error.code}${text === "" ? "" : `: ${text.replaceAll('\\"', '"')}`}`;
  }
  if (error instanceof Failure) return [error.message, ...error.details].join("; ");
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
