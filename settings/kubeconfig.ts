import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { parse as parseYaml } from "yaml";
import { isMapping, type Mapping } from "./mapping";

/** The way into a cluster, as kubectl and the Kubernetes provider find it. */
export type ClusterAccess =
  | {
      readonly from: "kubeconfig";
      /** Context that is used. */
      readonly context: string;
      /** All files as one, with absolute paths. */
      readonly config: Mapping;
    }
  /** The ServiceAccount of the pod that this process runs in. */
  | { readonly from: "serviceAccount" };

/** Why there is no way into a cluster. */
export interface NoAccess {
  readonly from: "nowhere";
  /** What is wrong, where, and what to do. */
  readonly problem: string;
}

/** Where to look. */
export interface Surroundings {
  /** Value of `KUBECONFIG`: one file, or several. */
  readonly variable: string | undefined;
  /** The user's home directory, for `.kube/config`. */
  readonly home: string;
  /** Whether this process runs in a pod with a ServiceAccount. */
  readonly inPod: boolean;
}

const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Where this process looks.
 * @param file instead of `KUBECONFIG`
 */
export const ownSurroundings = (file = process.env["KUBECONFIG"]): Surroundings => ({
  variable: file,
  home: homedir(),
  inPod: process.env["KUBERNETES_SERVICE_HOST"] !== undefined && existsSync(TOKEN),
});

/** The files of a kubeconfig, by absolute path, in the order of precedence. */
export function kubeconfigFiles({ variable, home }: Pick<Surroundings, "variable" | "home">): string[] {
  const named = (variable ?? "").split(delimiter).filter((path) => path !== "");
  return named.length > 0 ? named.map((path) => resolve(path)) : [join(home, ".kube", "config")];
}

/**
 * Looks for the way into the cluster by the rules of kubectl: files that are not there are passed over, the first that
 * names something wins, and without a kubeconfig a pod has its ServiceAccount.
 * @param context context of the settings; default: the current one
 */
export function findClusterAccess(
  surroundings: Surroundings,
  context: string | undefined,
): ClusterAccess | NoAccess {
  const files = kubeconfigFiles(surroundings);
  const named = files.join(", ");
  const present = files.filter((file) => existsSync(file));
  if (present.length === 0 && surroundings.inPod) {
    return context === undefined
      ? { from: "serviceAccount" }
      : nowhere(
          `temporal-stack:kubernetes.context names "${context}", but there is no kubeconfig at ${named}; leave the setting out to use the pod's ServiceAccount`,
        );
  }
  if (present.length === 0) {
    return nowhere(
      `no kubeconfig at ${named}: set KUBECONFIG to the kubeconfig of the cluster (for stack "local", \`npm run up\` makes both and prints the line to source)`,
    );
  }
  const read = present.map((file) => ({ file, config: readConfig(file) }));
  const broken = read.flatMap(({ file, config }) => (config === undefined ? [file] : []));
  if (broken.length > 0) {
    return nowhere(
      `${broken.join(", ")} is not a kubeconfig: expected a YAML mapping with a list "contexts"`,
    );
  }
  const config = mergeConfigs(read.flatMap(({ config }) => (config === undefined ? [] : [config])));
  const contexts = listOf(config, "contexts").map(({ name }) => String(name));
  const current = config["current-context"];
  const wanted = context ?? (typeof current === "string" ? current : "");
  if (contexts.includes(wanted)) return { from: "kubeconfig", context: wanted, config };
  const choice = contexts.length === 0 ? "there are none" : `there are: ${contexts.join(", ")}`;
  if (context !== undefined) {
    return nowhere(
      `temporal-stack:kubernetes.context names "${context}", which is not in ${named}; ${choice}`,
    );
  }
  return nowhere(
    wanted === ""
      ? `${named} has no current context: set temporal-stack:kubernetes.context, or run \`kubectl config use-context NAME\`; ${choice}`
      : `${named} has the current context "${wanted}", which is not in it; ${choice}`,
  );
}

const nowhere = (problem: string): NoAccess => ({ from: "nowhere", problem });

/** The Kubernetes client of a way into the cluster; loaded only here, as most commands never ask a cluster. */
export async function clientConfig(access: ClusterAccess): Promise<KubeConfig> {
  const client = await import("@kubernetes/client-node");
  const config = new client.KubeConfig();
  useAccess(config, access);
  return config;
}

/** Points a Kubernetes client to a way into the cluster. */
export function useAccess(config: KubeConfig, access: ClusterAccess): void {
  if (access.from === "serviceAccount") config.loadFromCluster();
  else {
    config.loadFromString(JSON.stringify(forClient(access.config)));
    config.setCurrentContext(access.context);
  }
}

function readConfig(file: string): Mapping | undefined {
  try {
    const value: unknown = parseYaml(readFileSync(file, "utf8"));
    return isMapping(value) && Array.isArray(value["contexts"])
      ? withAbsolutePaths(value, dirname(file))
      : undefined;
  } catch {
    return undefined;
  }
}

const LISTS = ["clusters", "contexts", "users"] as const;

const listOf = (config: Mapping, list: (typeof LISTS)[number]): Mapping[] => {
  const entries: unknown = config[list];
  return Array.isArray(entries) ? entries.filter(isMapping) : [];
};

function mergeConfigs(configs: readonly Mapping[]): Mapping {
  const merged = (list: (typeof LISTS)[number]) => {
    const byName = new Map<unknown, Mapping>();
    for (const entry of configs.flatMap((config) => listOf(config, list))) {
      if (!byName.has(entry["name"])) byName.set(entry["name"], entry);
    }
    return [...byName.values()];
  };
  const current = configs.map((config) => config["current-context"]).find(isSet);
  return {
    apiVersion: "v1",
    kind: "Config",
    ...Object.fromEntries(LISTS.map((list) => [list, merged(list)])),
    ...(current === undefined ? {} : { "current-context": current }),
  };
}

const isSet = (value: unknown): boolean => typeof value === "string" && value !== "";

/** Paths in a kubeconfig are relative to its folder; a command with a folder in it, too. */
function withAbsolutePaths(config: Mapping, folder: string): Mapping {
  const absolute = (entry: Mapping, keys: readonly string[]): Mapping => ({
    ...entry,
    ...Object.fromEntries(
      keys.flatMap((key) => {
        const path = entry[key];
        return typeof path === "string" && path !== "" ? [[key, resolve(folder, path)]] : [];
      }),
    ),
  });
  const inEach = (list: "clusters" | "users", key: string, change: (entry: Mapping) => Mapping) =>
    listOf(config, list).map((entry) => {
      const inner = entry[key];
      return isMapping(inner) ? { ...entry, [key]: change(inner) } : entry;
    });
  return {
    ...config,
    clusters: inEach("clusters", "cluster", (cluster) => absolute(cluster, ["certificate-authority"])),
    users: inEach("users", "user", (user) => {
      const { exec } = user;
      const changed = absolute(user, ["client-certificate", "client-key", "tokenFile"]);
      if (!isMapping(exec)) return changed;
      const { command } = exec;
      const relative = typeof command === "string" && /[\\/]/.test(command) && !isAbsolute(command);
      return { ...changed, exec: relative ? absolute(exec, ["command"]) : exec };
    }),
  };
}

/** The client knows a token in a file only under its own name. */
const forClient = (config: Mapping): Mapping => ({
  ...config,
  users: listOf(config, "users").map((entry) => {
    const { user } = entry;
    if (!isMapping(user) || !isSet(user["tokenFile"]) || isSet(user["token"])) return entry;
    const { tokenFile, ...rest } = user;
    return { ...entry, user: { ...rest, "auth-provider": { name: "tokenFile", config: { tokenFile } } } };
  }),
});
