import { Command } from "commander";
import { runCommand } from "../local/command";
import { installPulumi, pulumiHome } from "./pulumiInstallation";

new Command("npm run ci:pulumi --")
  .description("Installs the Pulumi CLI and the plugins of this project, by their published checksums.")
  .parse();

runCommand(async () => {
  for (const folder of await installPulumi(pulumiHome())) console.log(`installed ${folder}`);
});
