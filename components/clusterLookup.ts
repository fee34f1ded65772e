import type * as client from "@kubernetes/client-node";
import type { Settings } from "../settings/settings";
import type { ClientObject, ClientObjectLookup } from "./guards/clientObjectsGuard";
import type { ClusterLookup } from "./guards/cluster";
import type { ObjectLookup } from "./guards/existingObjectsGuard";
import type { ResourceTypesLookup } from "./guards/monitoringGuard";
import type { NamespaceLookup } from "./guards/namespaceOwnership";
import type { SecretLookup } from "./guards/payloadKeysGuard";
import type { PostgresLookup } from "./guards/postgresGuard";
import type { StorageClassLookup } from "./guards/storageClass";
import { clusterAccessOf } from "./kubernetesProvider";
import type { ExistingObject } from "./manifests/existingObjects";
import { STACK_LABEL } from "./manifests/labels";
import { OPERATOR_GROUP } from "./manifests/operatorPermissions";
import { clientConfig } from "../settings/kubeconfig";

/** Seconds to wait for the API server. */
const TIMEOUT_SECONDS = 10;
/** Annotations of the class that claims without one get, today's and the one before. */
const DEFAULT_CLASS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

interface NamedObject {
  readonly metadata?: client.V1ObjectMeta;
  readonly data?: object;
  readonly binaryData?: object;
}
type Client = typeof client;
type Answer<T> = { readonly found: "object"; readonly object: T } | { readonly found: "none" } | Unknown;
interface Unknown {
  readonly found: "unknown";
  readonly reason: string;
  readonly forbidden?: true;
}

/**
 * Asks the cluster for a namespace.
 * @returns what it is, never a failure
 */
export async function lookUpNamespace(
  settings: Pick<Settings, "kubernetes">,
  name: string,
): Promise<NamespaceLookup> {
  const answer = await ask(settings, (config, { CoreV1Api }) =>
    config.makeApiClient(CoreV1Api).readNamespace({ name }),
  );
  if (answer.found === "none") return answer;
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason };
  return { found: "namespace", labels: answer.object.metadata?.labels ?? {} };
}

/**
 * Asks the cluster for a Secret.
 * @returns what is in it (base64), never a failure
 */
export async function lookUpSecret(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
  name: string,
): Promise<SecretLookup> {
  const answer = await ask(settings, (config, { CoreV1Api }) =>
    config.makeApiClient(CoreV1Api).readNamespacedSecret({ name, namespace }),
  );
  if (answer.found === "none") return answer;
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason };
  return { found: "secret", data: answer.object.data ?? {} };
}

/**
 * Asks the cluster for a Cluster of CloudNativePG.
 * @returns whether it exists, never a failure
 */
export async function lookUpPostgres(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
  name: string,
): Promise<PostgresLookup> {
  const answer = await ask<unknown>(settings, (config, { CustomObjectsApi }) =>
    config.makeApiClient(CustomObjectsApi).getNamespacedCustomObject({
      group: OPERATOR_GROUP,
      version: "v1",
      plural: "clusters",
      namespace,
      name,
    }),
  );
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason };
  return answer.found === "object" ? { found: "cluster" } : answer;
}

/**
 * Asks which cluster this is.
 * @returns what lasts as long as the cluster, never a failure
 */
export async function lookUpCluster(settings: Pick<Settings, "kubernetes">): Promise<ClusterLookup> {
  const answer = await ask(settings, (config, { CoreV1Api }) =>
    config.makeApiClient(CoreV1Api).readNamespace({ name: "kube-system" }),
  );
  if (answer.found === "none") return { found: "unknown", reason: "it does not exist" };
  if (answer.found === "unknown")
    return { found: answer.forbidden === true ? "forbidden" : "unknown", reason: answer.reason };
  const uid = answer.object.metadata?.uid;
  return uid === undefined ? { found: "unknown", reason: "it has no UID" } : { found: "cluster", uid };
}

/**
 * Asks the cluster for its storage classes.
 * @returns their names, never a failure
 */
export async function lookUpStorageClasses(
  settings: Pick<Settings, "kubernetes">,
): Promise<StorageClassLookup> {
  const answer = await ask(settings, (config, { StorageV1Api }) =>
    config.makeApiClient(StorageV1Api).listStorageClass(),
  );
  if (answer.found === "none") return { found: "unknown", reason: "the API server has no storage classes" };
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason };
  const { items } = answer.object;
  return {
    found: "classes",
    names: items.flatMap(({ metadata }) => metadata?.name ?? []),
    hasDefault: items.some(({ metadata }) =>
      DEFAULT_CLASS.some((annotation) => metadata?.annotations?.[annotation] === "true"),
    ),
  };
}

/**
 * Asks which resource types an API group serves; discovery answers every identity.
 * @returns their plurals, never a failure
 */
export async function lookUpResourceTypes(
  settings: Pick<Settings, "kubernetes">,
  group: string,
  version: string,
): Promise<ResourceTypesLookup> {
  const answer = await ask(settings, (config, { CustomObjectsApi }) =>
    config.makeApiClient(CustomObjectsApi).getAPIResources({ group, version }),
  );
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason };
  return answer.found === "object"
    ? { found: "types", plurals: answer.object.resources.map(({ name }) => name) }
    : answer;
}

/**
 * Asks the cluster for a Secret, ConfigMap or ServiceAccount.
 * @returns its keys, the stack that made it, and nothing of what is in it; never a failure
 */
export async function lookUpObject(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
  { kind, name }: Pick<ExistingObject, "kind" | "name">,
): Promise<ObjectLookup> {
  const answer = await askForObject(settings, namespace, { kind, name });
  if (answer.found !== "object") return answer;
  const { data, binaryData, metadata } = answer.object;
  return {
    found: "object",
    keys: Object.keys({ ...data, ...binaryData }),
    stack: metadata?.labels?.[STACK_LABEL],
  };
}

/**
 * Asks the cluster for a Secret or ConfigMap in the namespace of a client.
 * @returns its labels and nothing of what is in it, never a failure
 */
export async function lookUpClientObject(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
  object: Pick<ClientObject, "kind" | "name">,
): Promise<ClientObjectLookup> {
  const answer = await askForObject(settings, namespace, object);
  return answer.found === "object"
    ? { found: "object", labels: answer.object.metadata?.labels ?? {} }
    : answer;
}

async function askForObject(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
  { kind, name }: Pick<ExistingObject, "kind" | "name">,
) {
  const answer = await ask<NamedObject>(settings, (config, { CoreV1Api }) => {
    const api = config.makeApiClient(CoreV1Api);
    switch (kind) {
      case "Secret":
        return api.readNamespacedSecret({ name, namespace });
      case "ConfigMap":
        return api.readNamespacedConfigMap({ name, namespace });
      case "ServiceAccount":
        return api.readNamespacedServiceAccount({ name, namespace });
    }
  });
  if (answer.found === "object") return answer;
  if (answer.found === "unknown") return { found: "unknown", reason: answer.reason } as const;
  const around = await lookUpNamespace(settings, namespace);
  return { found: around.found === "none" ? "no-namespace" : "none" } as const;
}

/** The client is loaded only here, as most updates ask for nothing. */
async function ask<T>(
  settings: Pick<Settings, "kubernetes">,
  question: (config: client.KubeConfig, client: Client) => Promise<T>,
): Promise<Answer<T>> {
  const library = await import("@kubernetes/client-node");
  try {
    const config = await clientConfig(clusterAccessOf(settings));
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => {
        reject(new Error(`no answer within ${TIMEOUT_SECONDS} s`));
      }, TIMEOUT_SECONDS * 1000).unref();
    });
    return { found: "object", object: await Promise.race([question(config, library), late]) };
  } catch (error) {
    const status = error instanceof library.ApiException ? error.code : undefined;
    if (status === 404) return { found: "none" };
    return {
      found: "unknown",
      reason: status === undefined ? String(error) : `the API server answers ${status}`,
      ...(status === 403 ? { forbidden: true } : {}),
    };
  }
}
