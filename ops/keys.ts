import { Argument, Command, Option } from "commander";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { cliOf } from "../common/pulumi";
import { UsageFailure } from "../common/usageFailure";
import { decrypted, encrypted, identitiesOf, recipientsOf } from "./keys/age";
import { readInput, writeOutput } from "./keys/files";
import { importKeys } from "./keys/importKeys";
import { exportedKeys, keyTable, keysInCluster } from "./keys/stackKeys";

interface Options {
  readonly stack: string;
  readonly recipient?: readonly string[];
  readonly output?: string;
  readonly fromCluster?: boolean;
  readonly identity?: string;
  readonly input?: string;
  readonly from?: string;
}

type Action = "list" | "export" | "import";

const command = new Command("npm run keys --")
  .description(
    "Lists the payload keys of a stack, exports them as a file that only a recipient can decrypt (age), or imports such a file into the stack's settings.",
  )
  .addArgument(new Argument("<action>", "what to do").choices(["list", "export", "import"]))
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .addOption(
    new Option(
      "--recipient <public key or file...>",
      "export: age1…, or a file with such keys; each can decrypt the export",
    ),
  )
  .option("--output <file>", "export: a new file; standard output by default")
  .option("--from-cluster", "export: read the keys that workers have, instead of the stack's state")
  .option("--identity <file>", "import: the private key of a recipient, as age-keygen writes it")
  .option("--input <file>", "import: the export")
  .option("--from <stack>", "import: the stack that the export is of, if it is another one")
  .addHelpText(
    "after",
    "\nExample: npm run keys -- list -s prod" +
      "\n         npm run keys -- export -s prod --recipient age1… --output prod-keys.age" +
      "\n         npm run keys -- import -s prod --identity backup.key --input prod-keys.age" +
      "\nNo key is ever printed or written in the clear. Loss of the state: docs/payload-encryption.md.",
  );

/** Options of each action; every other one is refused. */
const OPTIONS: Readonly<Record<Action, readonly (keyof Options)[]>> = {
  list: [],
  export: ["recipient", "output", "fromCluster"],
  import: ["identity", "input", "from"],
};

function actionOf(options: Options, name: string | undefined): Action {
  const action = name === "export" || name === "import" ? name : "list";
  const strays = Object.entries(OPTIONS)
    .filter(([other]) => other !== action)
    .flatMap(([, names]) => names)
    .filter((option) => options[option] !== undefined);
  if (strays.length > 0) {
    throw new UsageFailure(
      `${action} takes no ${strays.map((option) => `--${option.replace("C", "-c")}`).join(", ")}`,
      "see npm run keys -- --help",
    );
  }
  return action;
}

const main = async (options: Options, _: AbortSignal, [name]: readonly string[]): Promise<void> => {
  const { stack } = options;
  const action = actionOf(options, name);
  const cli = cliOf(stack);
  if (action === "list") {
    console.log(await keyTable(cli, checkout));
  } else if (action === "export") {
    if (options.recipient === undefined) {
      throw new UsageFailure(
        "nobody is named who can decrypt the export",
        "add --recipient with a public key (age-keygen -o backup.key prints one)",
      );
    }
    const recipients = await recipientsOf(options.recipient);
    const keys = await (options.fromCluster === true ? keysInCluster : exportedKeys)(cli, checkout);
    await writeOutput(options.output, await encrypted(JSON.stringify(keys), recipients));
    for (const line of keys.leftOut) console.error(line);
    console.error(
      `${keys.keys.length} keys of stack ${stack} for ${recipients.length} ${recipients.length === 1 ? "recipient" : "recipients"}: ${keys.keys.map(({ id }) => id).join(", ")}`,
    );
  } else {
    if (options.identity === undefined || options.input === undefined) {
      throw new UsageFailure(
        "an import needs the export and the private key that decrypts it",
        "add --input FILE and --identity FILE",
      );
    }
    const text = await decrypted(
      await readInput(options.input),
      identitiesOf(await readInput(options.identity), options.identity),
    );
    for (const line of await importKeys(cli, checkout, text, options.from)) console.log(line);
  }
};

runCommand(command, main, { afterInterruption: "nothing was changed" });
