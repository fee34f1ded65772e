import type { Mutation } from "./mutations";

/** What became of a mutant. `none`: no test reaches its file. */
export type Fate = "killed" | "timeout" | "survived" | "none";

/** A mutation of a file of the worker, by its path in the package. */
export interface Mutant {
  readonly file: string;
  readonly mutation: Mutation;
  /** What stands there without it. */
  readonly original: string;
}

export interface Verdict {
  readonly mutant: Mutant;
  readonly fate: Fate;
}

/** Share of the mutants that tests noticed, in percent. */
export const scoreOf = (verdicts: readonly Verdict[]): number =>
  verdicts.length === 0 ? 100 : (100 * verdicts.filter(isNoticed).length) / verdicts.length;

const isNoticed = ({ fate }: Verdict): boolean => fate === "killed" || fate === "timeout";

/** Counts by file, what nobody noticed, and the score. */
export function renderReport(verdicts: readonly Verdict[]): string {
  const files = [...new Set(verdicts.map(({ mutant }) => mutant.file))].sort();
  const row = (name: string, among: readonly Verdict[]): string => {
    const count = (fate: Fate) => String(among.filter((verdict) => verdict.fate === fate).length).padStart(8);
    return [name.padEnd(42), count("killed"), count("timeout"), count("survived"), count("none")].join(" ");
  };
  return [
    `${"".padEnd(42)}   killed  timeout survived  no test`,
    ...files.map((file) =>
      row(
        file,
        verdicts.filter(({ mutant }) => mutant.file === file),
      ),
    ),
    row("all", verdicts),
    "",
    ...verdicts.filter((verdict) => !isNoticed(verdict)).map(({ mutant }) => describeMutant(mutant)),
    "",
    `score: ${scoreOf(verdicts).toFixed(1)} % of ${String(verdicts.length)} mutants noticed`,
  ].join("\n");
}

/** Where a mutant is and what it changes, on one line. */
export function describeMutant({ file, mutation, original }: Mutant): string {
  return `worker/${file}:${String(mutation.line)}: ${short(original)} → ${short(mutation.replacement)}`;
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 70 ? `${line.slice(0, 67)}...` : line;
}
