import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CoreV1Api, KubeConfig, V1Container, V1Volume } from "@kubernetes/client-node";
import type { ServicePort } from "../../common/portForward";
import { UsageFailure } from "../../common/usageFailure";

type Environment = Record<string, string>;

/** Variables by which a worker finds Temporal and reads payloads. */
const CONNECTION = /^(TEMPORAL|CODEC)_/;
/** The way out of the cluster's network is not the way out of this machine's. */
const OF_THE_CLUSTER = ["TEMPORAL_PROXY_ADDRESS"];

/** A worker group's Deployment. */
export interface WorkerGroup {
  readonly namespace: string;
  readonly deployment: string;
}

/**
 * The environment with which a worker group reaches Temporal, taken from its Deployment, so that whatever the
 * workers are given (queues, certificates, API key, payload keys) holds for the replay as well.
 *
 * @param folder where the files that the environment names are written, readable by this user only
 * @throws UsageFailure when a variable names a file that is on no Secret's and no ConfigMap's volume
 */
export async function workerConnection(
  config: KubeConfig,
  { namespace, deployment }: WorkerGroup,
  folder: string,
): Promise<Environment> {
  const client = await import("@kubernetes/client-node");
  const { spec } = await config
    .makeApiClient(client.AppsV1Api)
    .readNamespacedDeployment({ name: deployment, namespace });
  const pod = spec?.template.spec;
  const container = pod?.containers[0];
  const read = reader(config.makeApiClient(client.CoreV1Api), namespace);

  const all = await containerEnvironment(container, read);
  const environment = Object.fromEntries(
    Object.entries(all).filter(([name]) => CONNECTION.test(name) && !OF_THE_CLUSTER.includes(name)),
  );
  for (const [name, value] of Object.entries(environment)) {
    if (!value.startsWith("/")) continue;
    const mount = container?.volumeMounts?.find(({ mountPath }) => `${value}/`.startsWith(`${mountPath}/`));
    const volume = pod?.volumes?.find((candidate) => candidate.name === mount?.name);
    const files = volume === undefined ? undefined : await volumeFiles(volume, read);
    const path = mount === undefined ? "" : value.slice(mount.mountPath.length).replace(/^\/+/, "");
    if (mount === undefined || files === undefined || !holds(files, path)) {
      throw new UsageFailure(
        `${name} of deployment ${namespace}/${deployment} names ${value}, which no volume with Secrets or ConfigMaps holds`,
        "mount what it names from a Secret",
      );
    }
    const root = join(folder, mount.name);
    for (const [file, content] of files) {
      await mkdir(dirname(join(root, file)), { recursive: true, mode: 0o700 });
      await writeFile(join(root, file), content, { mode: 0o600 });
    }
    environment[name] = join(root, path);
  }
  return environment;
}

/** Content of a Secret or ConfigMap, by key; of none, if there is no name. */
type Read = (kind: "secret" | "configMap", name: string | undefined) => Promise<Map<string, Buffer>>;

const reader =
  (core: CoreV1Api, namespace: string): Read =>
  async (kind, name) => {
    if (name === undefined) return new Map();
    const { data } =
      kind === "secret"
        ? await core.readNamespacedSecret({ name, namespace })
        : await core.readNamespacedConfigMap({ name, namespace });
    const encoding = kind === "secret" ? "base64" : "utf8";
    return new Map(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]));
  };

/** What a container's environment will be, without what only a running pod knows. */
async function containerEnvironment(container: V1Container | undefined, read: Read): Promise<Environment> {
  const environment: Environment = {};
  for (const { configMapRef, secretRef } of container?.envFrom ?? []) {
    const data = [
      ...(await read("configMap", configMapRef?.name)),
      ...(await read("secret", secretRef?.name)),
    ];
    for (const [name, value] of data) environment[name] = value.toString();
  }
  for (const { name, value, valueFrom } of container?.env ?? []) {
    const secret = valueFrom?.secretKeyRef;
    const configMap = valueFrom?.configMapKeyRef;
    const found =
      value ??
      (await read("secret", secret?.name)).get(secret?.key ?? "")?.toString() ??
      (await read("configMap", configMap?.name)).get(configMap?.key ?? "")?.toString();
    if (found !== undefined) environment[name] = found;
  }
  return environment;
}

/** Whether there is a file at a path, or one below it. */
const holds = (files: ReadonlyMap<string, Buffer>, path: string): boolean =>
  [...files.keys()].some((file) => path === "" || file === path || file.startsWith(`${path}/`));

/** Files of a volume by path; undefined if none of them can come from a Secret or a ConfigMap. */
async function volumeFiles(
  { secret, configMap, projected }: V1Volume,
  read: Read,
): Promise<Map<string, Buffer> | undefined> {
  if (projected !== undefined) {
    const sources = (projected.sources ?? []).map((source) => sourceFiles(source, read));
    return new Map((await Promise.all(sources)).flatMap((files) => [...files]));
  }
  if (secret !== undefined) {
    const { secretName: name, items } = secret;
    return sourceFiles({ secret: { ...(name && { name }), ...(items && { items }) } }, read);
  }
  return configMap === undefined ? undefined : sourceFiles({ configMap }, read);
}

/** Entries of one Secret or ConfigMap, by key and path; all of them where none are named. */
interface Entries {
  readonly name?: string;
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

/** What a volume may have several of. Tokens and fields of a running pod are left out. */
interface Source {
  readonly secret?: Entries;
  readonly configMap?: Entries;
}

async function sourceFiles({ secret, configMap }: Source, read: Read): Promise<Map<string, Buffer>> {
  return new Map([
    ...selected(await read("secret", secret?.name), secret?.items),
    ...selected(await read("configMap", configMap?.name), configMap?.items),
  ]);
}

/** The entries that are asked for, at their paths; all of them by their keys, if none are named. */
function selected(content: ReadonlyMap<string, Buffer>, items: Entries["items"]): Iterable<[string, Buffer]> {
  if (items === undefined) return content;
  return items.flatMap(({ key, path }): [string, Buffer][] => {
    const value = content.get(key);
    return value === undefined ? [] : [[path, value]];
  });
}

/** The Service that an address such as `temporal-frontend.temporal.svc:7233` means, which resolves in its cluster only. */
export function serviceOf(address: string): ServicePort | undefined {
  const [, service, namespace, port] = /^([^.:]+)\.([^.:]+)\.svc(?:\.[^:]+)?:(\d+)$/.exec(address) ?? [];
  return service === undefined || namespace === undefined
    ? undefined
    : { service, namespace, port: Number(port) };
}

/** The environment for a frontend that is reached at another address: its certificate still bears its own name. */
export function withAddress(environment: Readonly<Environment>, address: string): Environment {
  const secured =
    /^(true|1)$/.test(environment["TEMPORAL_TLS"] ?? "") ||
    Object.keys(environment).some((name) => /^TEMPORAL_(TLS_|API_KEY)/.test(name));
  const own = (environment["TEMPORAL_ADDRESS"] ?? "").replace(/:\d+$/, "");
  return {
    ...(secured ? { TEMPORAL_TLS_SERVER_NAME: own } : {}),
    ...environment,
    TEMPORAL_ADDRESS: address,
  };
}
