import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { describeFailure } from "../common/failure";
import { addSummary, warn } from "./runner";
import { type Level, levels } from "./supplyChain/advisory";
import { readAllowList } from "./supplyChain/allowList";
import { readComponents } from "./supplyChain/components";
import { OSV } from "./supplyChain/database";
import { checkVulnerabilities, exitCodeOf, exitCodes } from "./supplyChain/gate";
import { renderGate } from "./supplyChain/vulnerabilityReport";

interface Options {
  readonly sbom: string;
  readonly database: string;
  readonly allow: string;
  readonly level: Level;
  readonly maxAge: number;
  readonly fewest?: number;
  readonly release: boolean;
  readonly tolerateUnchecked: boolean;
}

const command = new Command("npm run vulnerabilities --")
  .description("Compares a bill of materials with the advisories about its packages.")
  .requiredOption("--sbom <file>", "the bill: CycloneDX JSON, as npm run sbom writes it")
  .option("--database <location>", "folder or address with <ecosystem>/all.zip in OSV's format", OSV)
  .option("--allow <file>", "what is allowed", join(__dirname, "supplyChain/allowed-vulnerabilities.yaml"))
  .addOption(
    new Option("--level <level>", "the lowest level that fails").choices(levels.slice(1)).default("high"),
  )
  .option("--max-age <days>", "age of the newest advisory from which on the data are stale", days, 7)
  .option("--fewest <count>", "fewest advisories that a database has; default: by ecosystem", count)
  .option("--release", "stale data, or anything that was not checked, is a failure", false)
  .addOption(
    new Option("--tolerate-unchecked", "exit code 0 instead of 3, where no database can be reached")
      .default(false)
      .conflicts("release"),
  )
  .addHelpText(
    "after",
    "\nExit codes: 0 passed, 1 vulnerable or an exception is over (with --release also: stale, not checked), 3 not checked.",
  );

void main(command.parse().opts<Options>()).then((code) => {
  process.exitCode = code;
});

function count(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be an integer from 1");
}

function days(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be an integer from 1 (days)");
}

async function main(options: Options): Promise<number> {
  const { release, tolerateUnchecked } = options;
  try {
    const now = new Date();
    const result = await checkVulnerabilities({
      components: readComponents(options.sbom),
      database: options.database.replace(/\/$/, ""),
      allowed: readAllowList(options.allow, now),
      level: options.level,
      maxAgeDays: options.maxAge,
      ...(options.fewest === undefined ? {} : { fewest: options.fewest }),
      now,
    });
    const text = renderGate(result, { release });
    console.log(text);
    if (process.env["GITHUB_STEP_SUMMARY"] !== undefined) {
      addSummary(`### Vulnerabilities\n\n\`\`\`text\n${text.replaceAll("`", "'")}\n\`\`\``);
    }
    const code = exitCodeOf(result, { release });
    if (code !== exitCodes.passed) warn(text.split("\n").at(-1) ?? "");
    return code === exitCodes.notChecked && tolerateUnchecked ? exitCodes.passed : code;
  } catch (error) {
    console.error(describeFailure(error));
    return exitCodes.shut;
  }
}
