import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { cacheFolder } from "../common/paths";
import { timed } from "./timedRun";
import { finishedSteps } from "./stepLines";
import { type Figure, ratio, seconds } from "./table";
import { ticksPerSecond } from "./ticks";

/** By issue 3: what the builds leave idle of the processors may be 13 %. */
const LIMIT = 1.15;

const resultSchema = z.object({ wall: z.number(), ticks: z.number() });

/** Builds all programs from an empty cache, in a folder of its own beside the real one. */
export async function coldToolchainFigures(): Promise<Figure[]> {
  const folder = await mkdtemp(`${cacheFolder}.bench-`);
  // Ctrl-C reaches the builds, too: this process stays until their folder is removed.
  const ignore = (): undefined => undefined;
  process.on("SIGINT", ignore);
  try {
    const { output } = await timed(
      [process.execPath, ...["--require", "sucrase/register/ts", join(__dirname, "buildToolchain.ts")]],
      {
        env: { TEMPORAL_STACK_CACHE: join(folder, "cache"), TEMPORAL_STACK_STATE: join(folder, "state") },
        remedy: "the lines above name the cause",
      },
    );
    const { wall, ticks } = resultSchema.parse(JSON.parse(output.trim().split("\n").at(-1) ?? ""));
    const cpu = ticks / (await ticksPerSecond());
    const cores = availableParallelism();
    return [
      ...finishedSteps(output)
        .filter(({ title }) => title.startsWith("build "))
        .map((step) => seconds(`  ${step.title}`, step.seconds)),
      seconds("cold toolchain, whole", wall),
      seconds("cold toolchain, CPU of all builds", cpu),
      ratio(`cold toolchain ÷ (CPU ÷ ${cores} cores)`, wall / (cpu / cores), LIMIT),
    ];
  } finally {
    process.off("SIGINT", ignore);
    // Go makes its module cache read-only.
    await execa("chmod", ["--recursive", "u+w", folder]);
    await rm(folder, { recursive: true });
  }
}
