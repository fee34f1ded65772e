import { structuredPatch } from "diff";
import type { Mapping } from "../../settings/mapping";
import { type Leaf, leavesOf, SECRET } from "./values";

/** A property that changes. */
export interface PropertyChange {
  readonly path: string;
  /** What it was; undefined if it was not there. */
  readonly old: string | undefined;
  /** What it will be; undefined if it will not be there. */
  readonly new: string | undefined;
  /** For texts of several lines: lines that begin with `+`, `-` or a space. */
  readonly lines?: readonly string[];
  /** Whether the resource is replaced because of it. */
  readonly replaces: boolean;
}

/** How a property changes, by the engine's own comparison. */
export interface EngineDiff {
  readonly diffKind: string;
}

/** Values longer than this are cut: a report is read by people. */
const MAX_VALUE = 2_000;
/** Texts longer than this are not compared line by line. */
const MAX_TEXT = 200_000;
const MAX_LINES = 200;
/** Gives up on texts that have next to nothing in common. */
const MAX_EDITS = 400;

/**
 * Compares the inputs of a resource, before and after.
 *
 * @param before undefined: there was no such resource
 * @param after undefined: there will be none
 * @param engineDiff what the engine's own comparison found, by path; it alone sees that a secret changes
 */
export function propertyChanges(
  before: Mapping | undefined,
  after: Mapping | undefined,
  engineDiff: Readonly<Record<string, EngineDiff>> = {},
): PropertyChange[] {
  const [old, next] = [leavesOf(before ?? {}), leavesOf(after ?? {})];
  const found = new EngineFindings(engineDiff);
  const changes: PropertyChange[] = [];
  for (const path of new Set([...old.keys(), ...next.keys()])) {
    const [was, willBe] = [old.get(path), next.get(path)];
    const secret = was?.secret === true && willBe?.secret === true;
    if (!secret && was?.text === willBe?.text) continue;
    const engine = found.at(was, willBe);
    if (secret && engine === undefined) continue;
    changes.push(change(path, was?.text, willBe?.text, engine));
  }
  // What the engine compares beyond the inputs, such as what a cluster answered.
  for (const [path, { diffKind }] of found.unused()) {
    changes.push({ path, old: undefined, new: undefined, replaces: isReplacing(diffKind) });
  }
  return changes;
}

function change(
  path: string,
  old: string | undefined,
  next: string | undefined,
  engine: EngineDiff | undefined,
): PropertyChange {
  const lines = old !== undefined && next !== undefined ? lineChanges(old, next) : undefined;
  return {
    path,
    old: cut(old),
    new: cut(next),
    ...(lines === undefined ? {} : { lines }),
    replaces: isReplacing(engine?.diffKind ?? ""),
  };
}

const isReplacing = (diffKind: string): boolean => diffKind.endsWith("-replace");

function cut(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= MAX_VALUE) return text;
  return `${text.slice(0, MAX_VALUE)}… (${text.length - MAX_VALUE} more characters)`;
}

function lineChanges(old: string, next: string): string[] | undefined {
  if (!old.includes("\n") && !next.includes("\n")) return undefined;
  if (old === SECRET || next === SECRET || old.length + next.length > MAX_TEXT) return undefined;
  const patch = structuredPatch("", "", old, next, "", "", { context: 1, maxEditLength: MAX_EDITS });
  const lines = patch?.hunks.flatMap((hunk) => hunk.lines).map((line) => cut(line) ?? "");
  if (lines === undefined || lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), ` … (${lines.length - MAX_LINES} more lines)`];
}

/** What the engine found, and which of it has been told. */
class EngineFindings {
  private readonly used = new Set<string>();
  private readonly paths: ReadonlySet<string>;

  constructor(private readonly findings: Readonly<Record<string, EngineDiff>>) {
    this.paths = new Set(Object.keys(findings));
  }

  /** The finding at a leaf, at what holds it, or inside it if that is hidden. */
  at(...leaves: readonly (Leaf | undefined)[]): EngineDiff | undefined {
    let first: EngineDiff | undefined;
    for (const leaf of leaves) {
      for (const path of leaf === undefined ? [] : this.pathsOf(leaf)) {
        this.used.add(path);
        first ??= this.findings[path];
      }
    }
    return first;
  }

  private pathsOf({ enginePath, secret }: Leaf): string[] {
    const here = upwards(enginePath).filter((path) => this.paths.has(path));
    const inside = secret
      ? [...this.paths].filter(
          (path) => path.startsWith(enginePath) && /^[.[]/.test(path.slice(enginePath.length)),
        )
      : [];
    return [...here, ...inside];
  }

  unused(): [string, EngineDiff][] {
    return Object.entries(this.findings).filter(([path]) => !this.used.has(path));
  }
}

/** `a.b[0].c`, `a.b[0]`, `a.b`, `a` */
function upwards(path: string): string[] {
  const cuts = [...path.matchAll(/\.|\[/g)].map(({ index }) => path.slice(0, index)).reverse();
  return [path, ...cuts.filter((part) => part !== "")];
}
