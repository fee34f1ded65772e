import { Command } from "commander";
import { runCommand } from "../common/command";
import { installPulumi, pulumiHome } from "./pulumiInstallation";

const command = new Command("npm run ci:pulumi --").description(
  "Installs the Pulumi CLI and the plugins of this project, by their published checksums.",
);

runCommand(command, async () => {
  for (const folder of await installPulumi(pulumiHome())) console.log(`installed ${folder}`);
});
