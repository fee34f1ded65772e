import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Figure, figure, seconds } from "../table";
import type { Built, ImageBuilds } from "./images";

/** A log line of the order workflow: no command of it, so that the recorded histories still replay. */
const WORKFLOW = join("src", "workflows", "order.ts");
const LINE = '"too late to cancel"';

/** Takes the time of a build after a change of one line in a workflow, and counts the layers that a push sends. */
export async function rebuildFigures(builds: ImageBuilds, before: Built): Promise<Figure[]> {
  changeLine(join(builds.sources, WORKFLOW));
  const started = performance.now();
  const after = await builds.worker("bench-changed");
  const taken = (performance.now() - started) / 1_000;
  return [
    seconds("image build after a change of one line in a workflow", taken),
    figure("  layers that are pushed then", newLayers(before.layers, after.layers).length, "count"),
    figure("  of layers in all", after.layers.length, "count"),
  ];
}

/** Layers that a registry with the image before does not have yet. */
export const newLayers = (before: readonly string[], after: readonly string[]): string[] =>
  after.filter((layer) => !before.includes(layer));

/** Never the same change twice: the engine's cache would know it. */
function changeLine(file: string): void {
  const text = readFileSync(file, "utf8");
  if (!text.includes(LINE))
    throw new Error(`${file} has no line with ${LINE} any more: name another one here`);
  writeFileSync(file, text.replace(LINE, `"too late to cancel, at ${Date.now()}"`));
}
