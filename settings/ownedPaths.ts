import { rule } from "./fields";
import { isMapping } from "./mapping";

type Problem = ReturnType<typeof rule>;

/** A place in values or in a resource that the program keeps to itself. */
export interface OwnedPath {
  /** Keys; `*` stands for any, `name*` for those that begin so. */
  readonly path: readonly string[];
  /** What would break, or which setting to use instead; follows "is refused: ". */
  readonly reason: string;
}

/** Several places with one reason. */
export const owned = (reason: string, ...paths: readonly string[]): OwnedPath[] =>
  paths.map((path) => ({ path: path.split("."), reason }));

/**
 * What is wrong with an opening that is merged over what the program sets: it reaches a place that the program owns,
 * or takes away what holds one.
 */
export function ownedProblems(opening: unknown, places: readonly OwnedPath[]): Problem[] {
  const found = [
    ...nulls(opening, []),
    ...places.flatMap(({ path, reason }) => reached(opening, path, reason, [])),
  ];
  return [...new Map(found.map((problem) => [problem.path.join("."), problem])).values()];
}

function reached(value: unknown, path: readonly string[], reason: string, at: readonly string[]): Problem[] {
  const [part, ...rest] = path;
  if (part === undefined) return [rule(`is refused: ${reason}`, [...at])];
  if (!isMapping(value)) {
    // A null is reported as such.
    return at.length === 0 || value === null
      ? []
      : [rule("must be a mapping: anything else would take away what this program sets below it", [...at])];
  }
  const matches = (key: string) => (part.endsWith("*") ? key.startsWith(part.slice(0, -1)) : key === part);
  return Object.entries(value)
    .filter(([key]) => matches(key))
    .flatMap(([key, inner]) =>
      // A wildcard meets settings that are no mapping, too.
      part === "*" && !isMapping(inner) && rest.length > 0 ? [] : reached(inner, rest, reason, [...at, key]),
    );
}

function nulls(value: unknown, at: readonly string[]): Problem[] {
  if (value === null)
    return [rule("is null, which would delete what is there; set a value or remove the key", [...at])];
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => nulls(inner, [...at, key]));
}
