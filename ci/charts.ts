import { Command } from "commander";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { noStackFile } from "../common/stackFiles";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { chartsOf, checkChart } from "./chartArchive";
import { warn } from "./runner";

const command = new Command("npm run ci:charts --")
  .description(
    "Compares the archives of the Helm charts of a stack with their checksums in settings/versions.ts.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .addHelpText(
    "after",
    "\nA chart of another version than the pinned one, or of an OCI registry, is NOT CHECKED, which is no failure.",
  );

runCommand(command, main);

async function main({ stack }: { readonly stack: string }): Promise<void> {
  const source = sourceOfStackFile(checkout, stack) ?? noStackFile(stack);
  const used = chartsOf(parseSettings(source));
  if (used.length === 0) console.log(`stack ${stack} deploys no Helm chart`);
  for (const chart of used) {
    const name = `chart ${chart.pin.name} ${chart.version}`;
    const gap = await checkChart(chart);
    if (gap === undefined) console.log(`checked ${name} of ${chart.repository}`);
    else warn(`NOT CHECKED ${name}: ${gap}`);
  }
}
