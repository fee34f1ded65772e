import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command, Option } from "commander";
import { execa } from "execa";
import { runCommand } from "../common/command";
import { extractImage } from "../common/imageEngine";
import { checkout } from "../common/paths";
import { billOfMaterials } from "./supplyChain/bom";
import { readLockfile } from "./supplyChain/lockfile";
import { type ImageContent, readRootFilesystem } from "./supplyChain/rootFilesystem";

interface Options {
  readonly image?: string;
  readonly folder?: string;
  readonly output?: string;
}

const command = new Command("npm run sbom --")
  .description("Writes the bill of materials of the worker image, as CycloneDX 1.6 JSON.")
  .addOption(new Option("--image <reference>", "the image; the Docker client gets it").conflicts("folder"))
  .option("--folder <path>", "the root filesystem of the image, already extracted")
  .option("--output <file>", "where it is written; default: standard output")
  .addHelpText(
    "after",
    "\nWithout an image it holds every package of the worker's lock file, and nothing of the base image; it says so.",
  );

runCommand(command, main);

async function main({ image, folder, output }: Options): Promise<void> {
  const content = await contentOf(image, folder);
  const text = billOfMaterials({
    name: "temporal-stack-worker",
    version: /@(sha256:[0-9a-f]{64})$/.exec(image ?? "")?.[1] ?? "unknown",
    lockfile: readLockfile(join(checkout, "worker/package-lock.json")),
    image: content,
  });
  if ((content?.debianPackages.length ?? 0) === 0) {
    console.error("NOT INCLUDED: the Debian packages of the base image" + (content ? ": it lists none" : ""));
  }
  if (output === undefined) process.stdout.write(`${text}\n`);
  else {
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, `${text}\n`);
  }
}

async function contentOf(image?: string, folder?: string): Promise<ImageContent | undefined> {
  if (folder !== undefined) return readRootFilesystem(folder);
  if (image === undefined) return undefined;
  const temporary = await mkdtemp(join(tmpdir(), "temporal-stack-sbom-"));
  const root = join(temporary, "root");
  try {
    await mkdir(root);
    await extractImage(image, root);
    return await readRootFilesystem(root);
  } finally {
    // Images hold their folders without write permission.
    await execa("chmod", ["-R", "u+rwX", temporary]);
    await rm(temporary, { recursive: true, force: true });
  }
}
