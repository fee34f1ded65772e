import { Command } from "commander";
import { runCommand } from "../common/command";
import { recover, type RecoverOptions } from "./recover/recoverUpdate";

const command = new Command("npm run recover --")
  .description(
    "Shows what an interrupted update left behind (a lock, a stuck Helm release, pending operations), and resolves it.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .option("-y, --yes", "do not ask")
  .addHelpText("after", "\nExample: npm run recover -- -s prod");

runCommand<RecoverOptions>(command, (options, signal) => recover(options, signal), {
  afterInterruption: "run the command again",
  onSignal: "finish",
});
