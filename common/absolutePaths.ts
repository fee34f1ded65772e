import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the CLI, of Kubernetes and of the clouds that keep state or keys, each of which names a file or folder. */
const FILES = [
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "PULUMI_CONFIG_PASSPHRASE_FILE",
  "PULUMI_CREDENTIALS_PATH",
  "PULUMI_HOME",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
] as const;

const project = z.object({ backend: z.object({ url: z.string() }) });
/** Of the CLI's own file only which backend it is logged in to. */
const login = z.object({ current: z.string() });

/**
 * The variables by which the CLI finds in any folder what it would find in the project's: commands run it in copies of
 * the project, whose files the CLI may write to, and in older commits of it.
 *
 * @param environment the environment of the command
 * @param folder the project's folder
 * @returns only what differs from the environment
 */
export function absolutePaths(environment: Environment, folder: string): Record<string, string> {
  const files = FILES.flatMap((name): [string, string][] => {
    const path = environment[name] ?? "";
    return path === "" ? [] : [[name, resolve(folder, path)]];
  });
  const kubeconfig = (environment["KUBECONFIG"] ?? "")
    .split(delimiter)
    .map((path) => (path === "" ? path : resolve(folder, path)))
    .join(delimiter);
  const backend = absoluteBackend(backendOf(environment, folder), folder);
  const all: [string, string][] = [
    ...files,
    ["KUBECONFIG", kubeconfig],
    ["PULUMI_BACKEND_URL", backend ?? environment["PULUMI_BACKEND_URL"] ?? ""],
  ];
  return Object.fromEntries(all.filter(([name, value]) => value !== (environment[name] ?? "")));
}

/** The backend that the CLI takes in the project's folder: of the environment, of the project, or of its login. */
function backendOf(environment: Environment, folder: string): string | undefined {
  const variable = environment["PULUMI_BACKEND_URL"];
  if (variable !== undefined && variable !== "") return variable;
  const own = project.safeParse(contentOf(join(folder, "Pulumi.yaml")));
  if (own.success) return own.data.backend.url;
  const { PULUMI_CREDENTIALS_PATH: credentials, PULUMI_HOME: home } = environment;
  const place = [credentials, home].find((path) => path !== undefined && path !== "");
  return login.safeParse(contentOf(resolve(folder, place ?? join(homedir(), ".pulumi"), "credentials.json")))
    .data?.current;
}

/** Undefined where the folder does not matter. */
function absoluteBackend(url: string | undefined, folder: string): string | undefined {
  const [, path, query = ""] = /^file:\/\/([^?]*)(\?.*)?$/.exec(url ?? "") ?? [];
  return path === undefined || /^[/~]/.test(path) ? undefined : `file://${resolve(folder, path)}${query}`;
}

function contentOf(file: string): unknown {
  try {
    return existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
  } catch {
    return undefined;
  }
}
