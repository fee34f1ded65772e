import { join } from "node:path";
import { Command } from "commander";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { readLockfile } from "./supplyChain/lockfile";
import { lockfileProblems } from "./supplyChain/lockfileRules";

/** The lock files of this project. */
const LOCKFILES = [
  "package-lock.json",
  "worker/package-lock.json",
  "toolchain/node/package-lock.json",
] as const;

/**
 * Packages with an install script. None is run (npm ci --ignore-scripts), and none is needed: two download a
 * program that is installed otherwise or comes as a package, protobufjs only looks at its version.
 */
const SCRIPTS = ["@pulumi/kubernetes", "@swc/core", "esbuild", "protobufjs"];

const command = new Command("npm run lint:lockfiles --")
  .description(
    "Checks that npm can install nothing unverified, from elsewhere or with an unknown install script.",
  )
  .argument("[files...]", `lock files; default: ${LOCKFILES.join(", ")}`);

runCommand(command, (_options, _signal, files) => main(files));

async function main(files: readonly string[]): Promise<void> {
  const paths = files.length > 0 ? files : LOCKFILES.map((file) => join(checkout, file));
  const problems = paths.flatMap((path) =>
    lockfileProblems(readLockfile(path), SCRIPTS).map((problem) => `${path}: ${problem}`),
  );
  if (problems.length > 0) {
    throw new Failure(
      `${problems.length} faults in lock files`,
      "find out who changed the file and why; then rm it and npm install, or allow the script in ci/lockfiles.ts",
      problems,
    );
  }
  console.log(`${paths.length} lock files: every package is from the registry, with its checksum`);
}
