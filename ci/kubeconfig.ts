import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { setVariable } from "./runner";

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
});

runCommand(command, main);

async function main(): Promise<void> {
  const content = process.env["KUBECONFIG_CONTENT"] ?? "";
  if (content.trim() === "") {
    throw new Failure(
      "there is no kubeconfig: KUBECONFIG_CONTENT is empty",
      "set the secret KUBECONFIG of the job's environment, see docs/ci-cd.md",
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
  const file = join(process.env["RUNNER_TEMP"] ?? ".", "kubeconfig.yaml");
  writeFileSync(file, content, { mode: 0o600 });
  setVariable("KUBECONFIG", file);
}

function parsed(content: string): unknown {
  try {
    return parse(content);
  } catch {
    return undefined;
  }
}
