import { existsSync, writeFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { lacksSecrets, setVariable } from "./runner";

const command = new Command("npm run ci:kubeconfig --")
  .description(
    "Writes the kubeconfig of KUBECONFIG_CONTENT to a file that only its owner reads, and sets KUBECONFIG.",
  )
  .addHelpText(
    "after",
    "\nBest one without a key in it, whose `exec` asks the cloud's own program: its login is the job's OIDC identity.",
  );

const kubeconfigSchema = z.looseObject({
  "current-context": z.string().min(1),
  contexts: z.array(z.object({ name: z.string() })).nonempty(),
  users: z
    .array(
      z.looseObject({
        user: z.looseObject({ exec: z.looseObject({ command: z.string() }).nullish() }).nullish(),
      }),
    )
    .nullish(),
});

runCommand(command, main);

async function main(): Promise<void> {
  const content = process.env["KUBECONFIG_CONTENT"] ?? "";
  if (content.trim() === "") {
    throw new Failure(
      "there is no kubeconfig: KUBECONFIG_CONTENT is empty",
      lacksSecrets()
        ? "GitHub gives no secrets to runs that Dependabot started: let a person merge, or push a commit to its branch"
        : "set the secret KUBECONFIG of the job's environment, see docs/ci-cd.md",
    );
  }
  const found = kubeconfigSchema.safeParse(parsed(content));
  const context = found.data?.["current-context"];
  if (!found.success || !found.data.contexts.some(({ name }) => name === context)) {
    // Nothing of the content may get into a log.
    throw new Failure(
      "KUBECONFIG_CONTENT is no kubeconfig with a current context",
      "make it with kubectl config view --minify --flatten",
    );
  }
  const programs = (found.data.users ?? []).flatMap(({ user }) => user?.exec?.command ?? []);
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    throw new Failure(
      `the kubeconfig runs ${missing.join(", ")}, which is not on PATH`,
      "install it on the runner before this step; .github/actions/stack installs gke-gcloud-auth-plugin and kubelogin",
    );
  }
  const file = join(process.env["RUNNER_TEMP"] ?? ".", "kubeconfig.yaml");
  writeFileSync(file, content, { mode: 0o600 });
  setVariable("KUBECONFIG", file);
}

function isInstalled(program: string): boolean {
  // kubectl takes a relative path from the folder of the kubeconfig, which is not there yet.
  if (program.includes("/")) return !isAbsolute(program) || existsSync(program);
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

function parsed(content: string): unknown {
  try {
    return parse(content);
  } catch {
    return undefined;
  }
}
