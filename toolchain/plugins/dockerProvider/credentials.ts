import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { nonEmpty } from "../runtime/properties";
import { docker } from "./cli";
import type { Image } from "./inputs";

/** What the CLI keeps beside its config.json and needs for contexts and for BuildKit. */
const KEPT_FOLDERS = ["contexts", "cli-plugins"];

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/**
 * The user's Docker configuration, changed so that a login to `server` is kept in the file and nowhere else: the
 * credential store of the machine goes on serving every other registry that it is known to serve.
 */
function configurationFor(original: Record<string, unknown>, server: string): Record<string, unknown> {
  const { credsStore, ...rest } = original;
  const auths = record(original["auths"]);
  const helpers = record(original["credHelpers"]);
  if (typeof credsStore === "string") {
    for (const other of Object.keys(auths)) helpers[other] ??= credsStore;
  }
  const others = Object.entries(helpers).filter(([registry]) => registry !== server);
  return { ...rest, auths: { ...auths, [server]: {} }, credHelpers: Object.fromEntries(others) };
}

/** The registry to log in to: the one given, else the one that the image name begins with. */
export function registryServer({ imageName, registry }: Image): string {
  return registry.server || imageName.slice(0, imageName.indexOf("/"));
}

/**
 * Runs an action with the environment in which the Docker CLI has the registry's credentials.
 *
 * With user name and password given it logs in within a temporary configuration folder, readable by this user
 * only and removed afterwards; the password goes through standard input. Without them the user's own
 * configuration is used.
 */
export async function withRegistry<Result>(
  image: Image,
  signal: AbortSignal,
  action: (environment: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<Result> {
  const { username, password } = image.registry;
  if (username === "" || password === "") return action({});

  const original = nonEmpty(process.env["DOCKER_CONFIG"]) ?? join(homedir(), ".docker");
  const folder = mkdtempSync(join(tmpdir(), "docker-config-"));
  try {
    const server = registryServer(image);
    const file = join(original, "config.json");
    const content = existsSync(file) ? record(JSON.parse(readFileSync(file, "utf8"))) : {};
    writeFileSync(join(folder, "config.json"), JSON.stringify(configurationFor(content, server)), {
      mode: 0o600,
    });
    for (const name of KEPT_FOLDERS) {
      if (existsSync(join(original, name))) symlinkSync(join(original, name), join(folder, name));
    }
    const environment = { DOCKER_CONFIG: folder };
    await docker(["login", "--username", username, "--password-stdin", server], {
      environment,
      input: password,
      signal,
    });
    return await action(environment);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
