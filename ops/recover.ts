import { Command } from "commander";
import { runInterruptible } from "../common/interruptible";
import { recover, type RecoverOptions } from "./recover/recoverUpdate";

const options = new Command("npm run recover --")
  .description(
    "Shows what an interrupted update left behind (a lock, a stuck Helm release, pending operations), and settles it.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--yes", "do not ask")
  .parse()
  .opts<RecoverOptions>();

runInterruptible((signal) => recover(options, signal), "run the command again");
