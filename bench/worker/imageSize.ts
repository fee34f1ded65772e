import { type Figure, figure, ratio } from "../table";
import type { Built, ImageBuilds } from "./images";

/** By issue 4. */
const LIMIT = 0.33;
const MIB = 1024 ** 2;

/** Compares the worker's image with that of the plainest Dockerfile, both unpacked and with their bases. */
export async function imageSizeFigures(builds: ImageBuilds, worker: Built): Promise<Figure[]> {
  const plain = await builds.plain("bench-plain");
  return [
    figure("size of the worker's image", worker.bytes / MIB, "MiB"),
    figure("size of the image of a plain Dockerfile", plain.bytes / MIB, "MiB"),
    ratio("size of the worker's image ÷ of a plain Dockerfile's", worker.bytes / plain.bytes, LIMIT),
  ];
}
