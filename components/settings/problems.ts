import type { z } from "zod";
import { isMapping, PROJECT } from "./mapping";
import { type MergedConfig, type SettingsSource } from "./source";
import { SECRET_PATHS } from "./secretPaths";
import { closest, knownKeys } from "./suggestions";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One sentence for each problem: key and file, what was expected, what was found, what to do. */
export function settingsProblems(
  schema: z.ZodType,
  source: SettingsSource,
  merged: MergedConfig,
  issues: readonly Issue[],
): string[] {
  const sentences = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? unknownKeys(schema, issue.path, issue.keys, source, merged)
      : [sentenceOf(issue, source, merged)],
  );
  return [...merged.problems, ...plainSecrets(source, merged), ...new Set(sentences)];
}

function unknownKeys(
  schema: z.ZodType,
  path: Path,
  keys: readonly string[],
  source: SettingsSource,
  merged: MergedConfig,
): string[] {
  const known = knownKeys(schema, path, merged.value);
  return keys.map((key) => {
    const meant = closest(key, known);
    const remedy =
      meant === undefined ? `remove it; known here: ${known.join(", ")}` : `did you mean "${meant}"?`;
    return `${where([...path, key], source, merged)}: unknown key; ${remedy}`;
  });
}

function sentenceOf(issue: Issue, source: SettingsSource, merged: MergedConfig): string {
  const place = where(issue.path, source, merged);
  if (issue.code === "custom" && issue.params?.["sentence"] === true) return `${place}: ${issue.message}`;
  const found = valueAt(merged.value, issue.path);
  return `${place}: expected ${expectationOf(issue)}, found ${describe(found, isSecret(issue.path, source))}; ${remedyFor(found, issue)}`;
}

function expectationOf(issue: Issue): string {
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code === "invalid_union") {
    return `one of ${knownModes(issue)
      .map((mode) => `"${mode}"`)
      .join(", ")}`;
  }
  if (issue.code === "invalid_type" && issue.message.startsWith("Invalid input")) {
    return issue.expected === "object" ? "a mapping" : `a value of type ${issue.expected}`;
  }
  return issue.message;
}

function knownModes(issue: Issue): string[] {
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)
    ? issue.options.map(String)
    : ["devServer", "external"];
}

function remedyFor(found: unknown, issue: Issue): string {
  if (found === undefined) return "add it";
  const wantsNumber =
    issue.code === "invalid_type" && (issue.expected === "number" || issue.expected === "int");
  if (wantsNumber && typeof found === "string" && /^\d+$/.test(found)) return "remove the quotes";
  const wantsText = issue.code === "invalid_type" && issue.expected === "string";
  if (wantsText && (typeof found === "number" || typeof found === "boolean")) return "put it in quotes";
  return "change it";
}

/** Names what was found without ever showing a secret. */
function describe(value: unknown, secret: boolean): string {
  if (value === undefined) return "nothing";
  if (secret) return "a secret value, which is not shown";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isMapping(value)) return "a mapping";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return typeof value === "string" ? `the text "${short}"` : short;
}

function isSecret(path: Path, { secretKeys }: SettingsSource): boolean {
  return (
    secretKeys.includes(`${PROJECT}:${String(path[0])}`) ||
    SECRET_PATHS.some((secret) => secret.path.every((part, index) => path[index] === part))
  );
}

/** Key as it stands in the file, and the file. */
function where(path: Path, source: SettingsSource, merged: MergedConfig): string {
  const key = path.reduce<string>((text, part) => text + segment(part, text === ""), "");
  const overlay =
    source.overlay !== undefined && cameFrom(merged.overlay, path) ? source.overlay.file : undefined;
  return overlay === undefined ? `${PROJECT}:${key} (${source.stackFile})` : `${key} (${overlay})`;
}

function segment(part: PropertyKey, first: boolean): string {
  if (typeof part === "number") return `[${String(part)}]`;
  const name = String(part);
  if (!/^[\w-]+$/.test(name)) return `["${name}"]`;
  return first ? name : `.${name}`;
}

/** Whether the overlay decides about a key: it has the key, or the list in which it would be. */
function cameFrom(overlay: unknown, path: Path): boolean {
  return (
    valueAt(overlay, path) !== undefined ||
    path.some((_, length) => Array.isArray(valueAt(overlay, path.slice(0, length))))
  );
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** A secret that stands in the clear is a problem even if it is otherwise right. */
function plainSecrets(source: SettingsSource, merged: MergedConfig): string[] {
  return SECRET_PATHS.filter(({ path }) => {
    const plain =
      !source.secretKeys.includes(`${PROJECT}:${String(path[0])}`) ||
      valueAt(merged.overlay, path) !== undefined;
    return plain && valueAt(merged.value, path) !== undefined;
  }).map(
    ({ path }) =>
      `${where(path, source, merged)}: expected a secret, found a value in the clear, which is not shown; set it with \`pulumi config set --stack ${source.stack} --secret --path '${PROJECT}:${path.join(".")}'\` and replace it, as it is known now`,
  );
}
