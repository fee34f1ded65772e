import type { z } from "zod";
import { groupPlace, type GroupPlace } from "./groupMerge";
import { isMapping, isSet, PROJECT, valueAt } from "./mapping";
import { isLabelValue } from "./names";
import { CONFIG_FILE_VARIABLE } from "./encryptedPlaces";
import { type MergedConfig, type SettingsSource } from "./source";
import {
  freePathsOf,
  isAmong,
  isWithin,
  keyOf,
  placesOf,
  secretPathsOf,
  type SettingPath,
} from "./secretSettings";
import { ENCRYPTED } from "./sensitive";
import { closest, knownKeys } from "./suggestions";
import { withoutLogins } from "./addresses";

type Issue = z.core.$ZodIssue;
type Path = SettingPath;

/** One sentence for each problem: key and file, what it must be, what it is. */
export function settingsProblems(
  schema: z.ZodType,
  source: SettingsSource,
  merged: MergedConfig,
  issues: readonly Issue[],
): string[] {
  const secrets = secretPathsOf(schema);
  const sentences = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? unknownKeys(schema, issue.path, issue.keys, source, merged)
      : [sentenceOf(issue, { secret: secrets, free: freePathsOf(schema) }, source, merged)],
  );
  return [
    ...merged.problems,
    ...strayKeys(schema, source),
    ...stackNameProblems(source),
    ...misplacedSecrets(secrets, source, merged),
    ...plainSecrets(secrets, source, merged),
    ...new Set(sentences),
  ].map(withoutLogins);
}

/** The name becomes a label of every object. */
function stackNameProblems({ stack }: SettingsSource): string[] {
  return isLabelValue(stack) && stack !== ""
    ? []
    : [
        `stack "${stack}": the name must be at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit; rename it with \`pulumi stack rename\``,
      ];
}

/**
 * Keys of another prefix that are meant for this program. The engine hands over all there are, and would not say a
 * word: a typing error in the prefix would leave the section at its defaults.
 */
function strayKeys(schema: z.ZodType, { config, stackFile }: SettingsSource): string[] {
  const sections = knownKeys(schema, [], {});
  const isStray = (prefix: string, name: string): boolean =>
    prefix !== PROJECT &&
    prefix !== "pulumi" &&
    (letters(prefix) === letters(PROJECT) ||
      closest(prefix, [PROJECT]) !== undefined ||
      sections.includes(name));
  return Object.keys(config).flatMap((key) => {
    const [prefix = "", name = ""] = key.split(":");
    return isStray(prefix, name)
      ? [
          `${key} (${stackFile}): belongs to project "${prefix}", not to this one; did you mean "${PROJECT}:${closest(name, sections) ?? name}"?`,
        ]
      : [];
  });
}

const letters = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function unknownKeys(
  schema: z.ZodType,
  path: Path,
  keys: readonly string[],
  source: SettingsSource,
  merged: MergedConfig,
): string[] {
  const known = knownKeys(schema, path, merged.value);
  return keys.map((key) => {
    const place = where([...path, key], source, merged);
    const impossible = IMPOSSIBLE.find(([name]) => name.test(keyOf([...path, key])));
    if (impossible !== undefined) return `${place}: ${impossible[1]}`;
    const meant = closest(key, known);
    const remedy =
      meant === undefined ? `remove it; known here: ${known.join(", ")}` : `did you mean "${meant}"?`;
    return `${place}: unknown key; ${remedy}`;
  });
}

/** What people look for, and no setting could do: why, and the way around it. */
const IMPOSSIBLE: readonly (readonly [key: RegExp, instead: string])[] = [
  [
    /^(workerImage|images\..*)\.(build)?secrets?$/i,
    "cannot be: Pulumi's Docker provider hands no secrets over to a build; build the image in your pipeline with `docker buildx build --secret` (docs/ci-cd.md) and set its `digest` instead",
  ],
];

function sentenceOf(
  issue: Issue,
  places: { readonly secret: readonly Path[]; readonly free: readonly Path[] },
  source: SettingsSource,
  merged: MergedConfig,
): string {
  const place = where(issue.path, source, merged);
  if (issue.code === "custom" && issue.params?.["sentence"] === true) return `${place}: ${issue.message}`;
  if (issue.code === "invalid_key") return `${place}: the key must be ${expectationOf(issue)}`;
  const found = valueAt(merged.value, issue.path);
  if (found === undefined) return `${place}: is missing; must be ${expectationOf(issue)}`;
  const shown = isSecret(issue.path, places.secret, source)
    ? "nothing"
    : isWithin(issue.path, places.free)
      ? "type"
      : "value";
  return `${place}: must be ${expectationOf(issue)}, got ${describe(found, shown)}${hintFor(found, issue)}`;
}

function expectationOf(issue: Issue): string {
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code === "invalid_union") {
    return `one of ${knownModes(issue)
      .map((mode) => `"${mode}"`)
      .join(", ")}`;
  }
  if (issue.code === "invalid_type" && issue.message.startsWith("Invalid input")) {
    return issue.expected === "object" ? "a mapping" : `of type ${issue.expected}`;
  }
  return issue.message;
}

function knownModes(issue: Issue): string[] {
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)
    ? issue.options.map(String)
    : ["devServer", "external"];
}

/** What YAML's types hide: a number that is a string, or a string that is none. */
function hintFor(found: unknown, issue: Issue): string {
  const wantsNumber =
    issue.code === "invalid_type" && (issue.expected === "number" || issue.expected === "int");
  if (wantsNumber && typeof found === "string" && /^\d+$/.test(found)) return "; remove the quotes";
  const wantsText = issue.code === "invalid_type" && issue.expected === "string";
  if (wantsText && (typeof found === "number" || typeof found === "boolean")) return "; put it in quotes";
  return "";
}

/** Names what was found without ever showing what could be a secret. */
function describe(value: unknown, shown: "value" | "type" | "nothing"): string {
  if (shown === "nothing") return "a secret, which is not shown";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isMapping(value)) return "a mapping";
  if (shown === "type") return `a ${typeof value}, which is not shown`;
  // A key or a file, in the wrong place perhaps.
  if (typeof value === "string" && /[\r\n]/.test(value)) return "several lines, which are not shown";
  // Before it is cut: half a URL would not be known for one.
  const text = JSON.stringify(typeof value === "string" ? withoutLogins(value) : value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Whether a value must not be shown: it is a secret, lies in one, or nobody knows. */
function isSecret(path: Path, secrets: readonly Path[], source: SettingsSource): boolean {
  const { encrypted, secretKeys } = source;
  const whole = encrypted === undefined || (source.unknownSecrets ?? []).includes(String(path[0]));
  return (
    isWithin(path, secrets) ||
    isWithin(path, encrypted ?? []) ||
    (whole && secretKeys.includes(`${PROJECT}:${String(path[0])}`))
  );
}

/** Key as it stands in the file, and the file. */
function where(path: Path, source: SettingsSource, merged: MergedConfig): string {
  const key = keyOf(path);
  if (source.overlay !== undefined && cameFrom(merged.overlay, path))
    return `${key} (${source.overlay.file})`;
  const place = groupPlace(merged, path);
  return place === undefined ? `${PROJECT}:${key} (${source.stackFile})` : whereInGroup(place, source);
}

function whereInGroup({ group: { file, own }, path }: GroupPlace, { stack }: SettingsSource): string {
  if (path.length === 0) return file;
  return `${keyOf(cameFrom(own, path) ? ["stacks", stack, ...path] : path)} (${file})`;
}

/** Whether a mapping decides about a key over another: it has the key, or the list in which it would be. */
function cameFrom(over: unknown, path: Path): boolean {
  return isSet(over, path) || path.some((_, length) => Array.isArray(valueAt(over, path.slice(0, length))));
}

/** A secret in plain text is a problem even if it is otherwise right. */
function plainSecrets(secrets: readonly Path[], source: SettingsSource, merged: MergedConfig): string[] {
  const { encrypted, secretKeys } = source;
  // One that is encrypted there is refused already.
  const isPlainInGroup = (path: Path): boolean =>
    groupPlace(merged, path) !== undefined && valueAt(merged.value, path) !== ENCRYPTED;
  const isPlain = (path: Path): boolean =>
    isSet(merged.overlay, path) ||
    isPlainInGroup(path) ||
    !secretKeys.includes(`${PROJECT}:${String(path[0])}`) ||
    (encrypted !== undefined && !isUnknown(path, source) && !isWithin(path, encrypted));
  return (
    secrets
      .flatMap((path) => placesOf(path, merged.value))
      // Refused already, as encrypted where nothing opens it.
      .filter((path) => isPlain(path) && valueAt(merged.value, path) !== ENCRYPTED)
      .map(
        (path) =>
          `${where(path, source, merged)}: must be a secret, got plain text, which is not shown; ${remedyOfPlain(path, source, merged)} and revoke the exposed value`,
      )
  );
}

function remedyOfPlain(path: Path, { stack, stackFile }: SettingsSource, merged: MergedConfig): string {
  return groupPlace(merged, path) === undefined
    ? `set it with \`pulumi config set --stack ${stack} --secret --path '${PROJECT}:${keyOf(path)}'\``
    : `name a Secret that exists (secret and key), or move the group to ${PROJECT}:workers (${stackFile}), where it can be encrypted,`;
}

/**
 * An encrypted value that the program would not keep secret is refused, whatever it is: Pulumi decrypts it, and it would
 * end in plain text in the state, in the cluster and in previews.
 */
function misplacedSecrets(secrets: readonly Path[], source: SettingsSource, merged: MergedConfig): string[] {
  const named = (source.encrypted ?? []).filter((path) => !isAmong(path, secrets));
  const problems = named.map(
    (path) =>
      `${where(path, source, merged)}: is encrypted, but ends in plain text in the state and in the cluster; ${remedyOfMisplaced(path, secrets)}`,
  );
  const sections = source.encrypted === undefined ? source.secretKeys : unknownSections(source);
  for (const key of sections.filter((name) => name.startsWith(`${PROJECT}:`))) {
    const section = key.slice(PROJECT.length + 1);
    const takers = secrets.filter(([first]) => first === section);
    const taken =
      source.encrypted === undefined
        ? takers.length > 0
        : takers.some((path) => placesOf(path, merged.value).length > 0);
    if (!taken) {
      problems.push(
        `${where([section], source, merged)}: holds an encrypted value, but none of the settings there is kept secret; ${remedyOfMisplaced([section], secrets)}`,
      );
    } else if (isUnknown([section], source)) {
      problems.push(
        `${where([section], source, merged)}: holds an encrypted value, and it is unknown which: the engine does not say, and ${source.stackFile} does not have these settings; set ${CONFIG_FILE_VARIABLE} to the absolute path of another file instead of --config-file, and use a Secret by name for what comes from a Pulumi environment`,
      );
    }
  }
  return problems;
}

const unknownSections = ({ unknownSecrets = [] }: SettingsSource): string[] =>
  unknownSecrets.map((section) => `${PROJECT}:${section}`);

const isUnknown = ([section]: Path, { unknownSecrets = [] }: SettingsSource): boolean =>
  unknownSecrets.includes(String(section));

function remedyOfMisplaced(path: Path, secrets: readonly Path[]): string {
  const near = secrets.filter(([section]) => section === path[0]);
  const takers = (near.length === 0 ? secrets : near).map(keyOf).join(", ");
  return `put it in plain text if it is no secret, or else in one of the settings that stay secret (${takers})`;
}
