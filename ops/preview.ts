import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { runCommand } from "../common/command";
import type { ExitCode } from "../common/exitCodes";
import { describeFailure } from "../common/failure";
import { previewReport } from "./preview/previewStack";
import { cliOf } from "../common/pulumi";
import { ownPolicyPacks } from "./report/runPreview";
import { renderFailure, renderMarkdown } from "./report/markdown";
import { verdictCodes } from "./report/changeReport";
import { renderTerminal } from "./report/terminal";

interface Options {
  readonly stack: string;
  readonly markdown?: string;
  readonly diff?: boolean;
  readonly configFile?: string;
  readonly policyPack?: readonly string[] | false;
  readonly policyPackConfig?: readonly string[];
}

const command = new Command("npm run preview --")
  .description("Previews an update of a stack and reports what it would do; nothing is changed.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--markdown <file>", "also write the report as Markdown, for a comment")
  .option("--diff", "show every property that changes")
  .option("--config-file <file>", "settings from this file instead of Pulumi.<stack>.yaml")
  .addOption(
    new Option("--policy-pack <folders...>", "policy packs to run (default: policy/, if it is there)"),
  )
  .addOption(new Option("--no-policy-pack", "run no policy pack"))
  .option("--policy-pack-config <files...>", "settings of the policy packs, one file for each")
  .addHelpText(
    "after",
    "\nExample: npm run preview -- -s prod --diff" +
      "\nExit codes: 0 nothing would change, 2 something would, 3 refused by a guard or a policy, 1 failed.",
  );

async function main(options: Options): Promise<ExitCode> {
  const { stack, markdown, configFile, policyPack, policyPackConfig } = options;
  try {
    const report = await previewReport(cliOf(stack), {
      // The CLI runs in the checkout, wherever this command was called.
      configFile: configFile === undefined ? undefined : resolve(configFile),
      policyPacks: policyPack === false ? [] : (policyPack?.map((pack) => resolve(pack)) ?? ownPolicyPacks()),
      policyConfigs: policyPackConfig?.map((file) => resolve(file)),
    });
    if (markdown !== undefined) await writeFile(markdown, renderMarkdown(report));
    console.log(renderTerminal(report, { diff: options.diff === true }));
    return verdictCodes[report.verdict];
  } catch (error) {
    // A pipeline has something to show then, too.
    if (markdown !== undefined) await writeFile(markdown, renderFailure(stack, describeFailure(error)));
    throw error;
  }
}

runCommand(command, main, { afterInterruption: "nothing was changed" });
