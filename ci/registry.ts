import { Command } from "commander";
import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";
import { runCommand } from "../common/command";
import { loginMethods, registryLogin } from "./registryLogin";

const command = new Command("npm run ci:registry --")
  .description("Logs Docker in to the registry of the worker image, as the environment says.")
  .option("--logout", "forget the login")
  .addHelpText(
    "after",
    `
REGISTRY         host; default: ghcr.io
REGISTRY_LOGIN   ${loginMethods.join(", ")}; default: password
REGISTRY_USER, REGISTRY_PASSWORD   for password; at ghcr.io GITHUB_ACTOR and GITHUB_TOKEN will do`,
  );

runCommand(command, main);

async function main({ logout }: { readonly logout?: boolean }): Promise<void> {
  const registry = variable("REGISTRY", "ghcr.io");
  if (logout === true) {
    await docker(["logout", registry], "");
    return;
  }
  const wanted = variable("REGISTRY_LOGIN", "password");
  const method = loginMethods.find((name) => name === wanted);
  if (method === undefined) {
    throw new Failure(
      `REGISTRY_LOGIN must be one of ${loginMethods.join(", ")}`,
      "correct the variable of the job's environment",
    );
  }
  const { user, password } = await registryLogin(registry, method, process.env);
  await docker(["login", "--username", user, "--password-stdin", registry], password);
  console.log(`logged in to ${registry}`);
}

/** A variable that a workflow does not have is empty. */
function variable(name: string, fallback: string): string {
  const value = process.env[name] ?? "";
  return value === "" ? fallback : value;
}

async function docker(args: readonly string[], input: string): Promise<void> {
  const { failed, stderr, code } = await execa("docker", args, { input, reject: false });
  if (!failed) return;
  throw code === "ENOENT"
    ? new Failure("docker is not on PATH", "install Docker on the runner")
    : new Failure(
        `docker ${args[0] ?? ""} failed`,
        "see that REGISTRY is a host without a path, and that its login is right",
        lastLines(stderr),
      );
}
