import { Command } from "commander";
import { runCommand } from "../common/command";
import { installPulumi, programFolder, pulumiHome } from "./pulumiInstallation";
import { addPath } from "./runner";

const command = new Command("npm run ci:pulumi --").description(
  "Installs the Pulumi CLI and the plugins of this project, by their published checksums, and puts the CLI on PATH.",
);

runCommand(command, async () => {
  const home = pulumiHome();
  for (const folder of await installPulumi(home)) console.log(`installed ${folder}`);
  // In front of the one that the runner brings along.
  addPath(programFolder(home));
});
