import { Command } from "commander";
import { runInterruptible } from "../common/interruptible";
import { readStack } from "./history/read";
import { historyTable } from "./history/table";
import { withWorkspace } from "./stack/workspace";

const SHOWN = 20;

const options = new Command("npm run history --")
  .description(
    "Lists what was deployed to a stack: when, by whom, from which commit, with which worker image.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--all", `more than the last ${SHOWN}`)
  .parse()
  .opts<{ readonly stack: string; readonly all?: boolean }>();

runInterruptible(
  () =>
    withWorkspace(options.stack, async (workspace) => {
      const { state, updates } = await readStack(workspace);
      if (updates.length === 0) console.log(`nothing was deployed to stack ${options.stack} yet`);
      else console.log(historyTable(updates, state.quarantine, options.all === true ? Infinity : SHOWN));
    }),
  "nothing was changed",
);
