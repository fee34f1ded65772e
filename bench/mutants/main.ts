import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { runCommand } from "../../common/command";
import { exitCodes } from "../../common/exitCodes";
import { Failure } from "../../common/failure";
import { checkout } from "../../common/paths";
import { UsageFailure } from "../../common/usageFailure";
import { commandPath, isInstalled } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { positiveInteger } from "../positiveInteger";
import { Compiler } from "./compiles";
import { reachedFrom } from "./coverage";
import { Lane } from "./lane";
import { mutationsOf } from "./mutations";
import { describeMutant, type Fate, type Mutant, renderReport, scoreOf, type Verdict } from "./report";

interface MutantOptions {
  readonly every: number;
  readonly offset: number;
  readonly file: string;
  readonly lanes: number;
  readonly server?: true;
  readonly atLeast: number;
}

const worker = join(checkout, "worker");

const command = new Command("npm run mutants --")
  .description(
    "Changes the worker's sources, one place at a time in a copy, and counts what its tests notice.",
  )
  .addOption(integerOption("--every <n>", "tries every n-th mutant, always the same ones", 10))
  .addOption(integerOption("--offset <n>", "number of the first one", 1))
  .addOption(new Option("--file <pattern>", "regular expression on paths under worker/").default(""))
  .addOption(integerOption("--lanes <n>", "mutants at the same time", 2))
  .addOption(new Option("--server", "tries survivors on the tests with a Temporal server, too: minutes each"))
  .addOption(integerOption("--at-least <percent>", "score below which the command fails", 85));

async function main(options: MutantOptions, signal: AbortSignal): Promise<number> {
  if (options.server === true && !isInstalled(programs.temporal)) {
    throw new Failure(
      "the Temporal CLI is not installed yet",
      "run npm run toolchain first, or leave --server out",
    );
  }
  const mutants = sampleOf(options);
  if (mutants.length === 0)
    throw new UsageFailure("there is no such mutant", "choose another --file or --every");
  console.log(`trying ${String(mutants.length)} mutants; the score counts only what the compiler takes`);
  const verdicts = await inLanes(options, mutants, signal);
  if (signal.aborted) return exitCodes.interrupted;
  console.log(`\n${renderReport(verdicts)}`);
  return scoreOf(verdicts) >= options.atLeast ? exitCodes.ok : exitCodes.failed;
}

function sampleOf({ every, offset, file }: MutantOptions): Mutant[] {
  const pattern = new RegExp(file);
  const compiler = new Compiler();
  return typescriptIn("src")
    .flatMap((path) => {
      const text = readFileSync(join(worker, path), "utf8");
      return mutationsOf(text).map((mutation) => ({
        mutant: { file: path, mutation, original: text.slice(mutation.start, mutation.end) },
        text,
      }));
    })
    .filter((_, index) => (index - (offset - 1)) % every === 0 && index >= offset - 1)
    .filter(({ mutant }) => pattern.test(mutant.file))
    .filter(({ mutant, text }) => compiler.takes(mutant, text))
    .map(({ mutant }) => mutant);
}

const typescriptIn = (folder: string, ending = ".ts"): string[] =>
  readdirSync(join(worker, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
    .sort();

/** Few files reached first: those tests say the most about a file, and are the fastest. */
function testsByFile(folder: string): (file: string) => string[] {
  const reached = typescriptIn(folder, ".test.ts")
    .map((test) => ({ test, files: reachedFrom(worker, test) }))
    .sort((a, b) => a.files.size - b.files.size);
  return (file) => reached.filter(({ files }) => files.has(file)).map(({ test }) => test);
}

async function inLanes(
  options: MutantOptions,
  mutants: readonly Mutant[],
  signal: AbortSignal,
): Promise<Verdict[]> {
  const unitTests = testsByFile("test/unit");
  const units = [...new Set(mutants.flatMap(({ file }) => unitTests(file)))];
  const verdicts: Verdict[] = [];
  const waiting = [...mutants];
  let green: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    const lane = await Lane.open();
    try {
      // All copies are the same: one of them is checked.
      await (green ??= lane.requireGreen(units));
      if (options.server === true) await lane.build();
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        if (signal.aborted) return;
        const fate = await fateOf(lane, mutant, unitTests(mutant.file), options.server === true);
        verdicts.push({ mutant, fate });
        console.log(`${String(verdicts.length).padStart(4)} ${fate.padEnd(8)} ${describeMutant(mutant)}`);
      }
    } finally {
      await lane.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, work));
  return verdicts;
}

async function fateOf(lane: Lane, mutant: Mutant, tests: readonly string[], server: boolean): Promise<Fate> {
  const fate = await lane.tryUnits(mutant, tests);
  return server && (fate === "survived" || fate === "none")
    ? lane.tryServer(mutant, commandPath(programs.temporal), serverTestsOf(mutant.file))
    : fate;
}

/** What each test with a server looks at first; the rest of the worker is looked at by the first two. */
const SERVER_TESTS: readonly (readonly [test: string, files: RegExp])[] = [
  ["workflows", /^src\/(workflows|domain|activities)\//],
  ["worker", /./],
  ["polls", /^src\/(polls|connectivity|service|frontend|health|lifecycle)\b/],
  ["execution", /^src\/(cli\/|execution|client|temporal-client)/],
  ["replay", /^src\/(cli\/replay|replay\/)/],
  ["observability", /^src\/(metrics|tracing|sdk-logger|logger)/],
  ["codec-server", /^src\/codec/],
  ["versioning", /^src\/(workflows\/|create-workers|build-info)/],
];

const serverTestsOf = (file: string): string[] =>
  SERVER_TESTS.filter(([, files]) => files.test(file)).map(([test]) => `test/server/${test}.test.ts`);

function integerOption(flags: string, description: string, fallback: number): Option {
  return new Option(flags, description).default(fallback).argParser(positiveInteger);
}

runCommand<MutantOptions>(command, main, { onSignal: "finish" });
