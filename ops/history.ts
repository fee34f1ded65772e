import { Command } from "commander";
import { runCommand } from "../common/command";
import { readStack } from "./history/read";
import { historyTable } from "./history/table";
import { withWorkspace } from "./stack/workspace";

const SHOWN = 20;

const command = new Command("npm run history --")
  .description(
    "Lists what was deployed to a stack: when, by whom, from which commit, with which worker image.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--all", `more than the last ${SHOWN}`)
  .addHelpText("after", "\nExample: npm run history -- -s prod --all");

runCommand(command, main, { afterInterruption: "nothing was changed" });

async function main({ stack, all }: { readonly stack: string; readonly all?: boolean }): Promise<void> {
  await withWorkspace(stack, async (workspace) => {
    const { state, updates } = await readStack(workspace);
    if (updates.length === 0) console.log(`nothing was deployed to stack ${stack} yet`);
    else console.log(historyTable(updates, state.quarantine, all === true ? Infinity : SHOWN));
  });
}
