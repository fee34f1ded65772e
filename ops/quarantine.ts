import { Command } from "commander";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { named, writeRelease } from "./quarantine/release";
import { readState } from "./stack/state";
import { withWorkspace } from "./stack/workspace";

interface Options {
  readonly stack: string;
  readonly release?: string;
  readonly reason?: string;
}

const command = new Command("npm run quarantine --")
  .description("Lists the worker images that no update of a stack may deploy, or releases one.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--release <digest>", "write into the stack file that this image may be deployed again")
  .option("--reason <text>", "why it may")
  .addHelpText(
    "after",
    '\nExample: npm run quarantine -- -s prod --release sha256:… --reason "fixed by 2f6c0c1"',
  );

async function main({ stack, release, reason }: Options): Promise<void> {
  await withWorkspace(stack, async (workspace) => {
    const { quarantine } = await readState(workspace);
    if (release === undefined) {
      for (const { digest, since, reason: why } of quarantine)
        console.log(`${digest}  since ${since}  ${why}`);
      if (quarantine.length === 0) console.log(`no image is in quarantine on stack ${stack}`);
      return;
    }
    if (reason === undefined) {
      throw new Failure("nobody says why the image may be deployed again", 'add --reason "…"');
    }
    const file = await writeRelease(workspace.checkout, stack, named(quarantine, release, stack), reason);
    console.log(`${file} releases it now: commit that, and the next update of stack ${stack} may deploy it`);
  });
}

runCommand(command, main, { afterInterruption: "nothing was changed" });
