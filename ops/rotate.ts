import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { Failure } from "../common/failure";
import { runSteps, step } from "../common/progress";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { noStackFile } from "../common/stackFiles";
import { confirm } from "../common/confirm";
import { kubeConfigOf } from "./stack/kubeConfig";
import { stackOutputs } from "../common/stackOutputs";
import { type RotationPlan, rotationPlan } from "./rotate/plan";
import { replacedPodsGone } from "./rotate/serverPods";
import { cliOf, pulumi } from "../common/pulumi";
import { withSettings } from "./stack/stackFileEdit";

interface Options {
  readonly stack: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const command = new Command("npm run rotate --")
  .description(
    "Changes the passwords with which Temporal logs in to a Postgres cluster; no connection is refused.",
  )
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .option("--dry-run", "show what would be done, and do nothing")
  .option("-y, --yes", "do not ask")
  .addHelpText(
    "after",
    "\nExample: npm run rotate -- -s prod --dry-run" +
      "\nIt changes the stack's file and deploys it, twice; commit the file afterwards. Payload keys: docs/payload-encryption.md.",
  );

/** What of a stack file a rotation depends on. */
function credentialsOf(stack: string) {
  const source = sourceOfStackFile(checkout, stack) ?? noStackFile(stack);
  const { postgres, temporal, namespaces } = parseSettings(source);
  if (postgres?.mode !== "cluster" || temporal.mode !== "chart") {
    throw new Failure(
      `stack ${stack} has no Postgres cluster of its own (postgres.mode: cluster)`,
      "change the password where the database is, then set postgres.password, or passwordSecret.revision, and deploy",
    );
  }
  return {
    credentials: postgres.credentials,
    namespace: namespaces.temporal,
    graceSeconds: temporal.shutdown.terminationGracePeriodSeconds,
  };
}

function describe({ resumes, steps }: RotationPlan): string {
  const titles = [
    ...(resumes ? ["what an interrupted rotation wrote is deployed"] : []),
    ...steps.map(({ title }) => title),
  ];
  return titles.map((title, index) => `  ${index + 1}. ${title}; pulumi up`).join("\n");
}

async function main({ stack, dryRun, yes }: Options): Promise<void> {
  const { credentials, namespace, graceSeconds } = credentialsOf(stack);
  const plan = rotationPlan(credentials);
  console.log(`database password of stack ${stack}:\n${describe(plan)}`);
  if (dryRun === true) return;
  // Known before anything is changed.
  const cli = cliOf(stack);
  const config = await kubeConfigOf(cli, (await stackOutputs(cli)).kubernetesContext);
  if (yes !== true && !(await confirm("Do it?"))) return;
  const up = async (message: string, report: (line: string) => void): Promise<void> => {
    const args = ["up", "--yes", "--skip-preview", "--message", message];
    await pulumi(cli, args, { onLine: report });
    await replacedPodsGone(config, namespace, graceSeconds);
  };
  await runSteps([
    ...(plan.resumes ? [step("interrupted rotation", ({ report }) => up("rotate: carried on", report))] : []),
    ...plan.steps.map(({ title, key, value }) =>
      step(title, async ({ report }) => {
        const file = join(checkout, `Pulumi.${stack}.yaml`);
        const change = { path: ["postgres", "credentials", ...key], new: value } as const;
        await writeFile(file, withSettings(await readFile(file, "utf8"), [change]));
        await up(`rotate: ${title}`, report);
      }),
    ),
  ]);
  console.log(`both passwords are new; commit Pulumi.${stack}.yaml`);
}

runCommand(command, main);
