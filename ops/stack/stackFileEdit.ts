import { type Document, isCollection, isMap, isScalar, visit } from "yaml";
import { documentOf, fullKey } from "../../settings/engineYaml";
import { groupPlace } from "../../settings/groupMerge";
import { PROJECT } from "../../settings/mapping";
import { mergedConfig, type SettingsSource } from "../../settings/source";

/** A setting of a stack and its new value. */
export interface SettingChange {
  /** Section of the stack file, without the project's prefix, and keys inside it. */
  readonly path: readonly [string, ...string[]];
  readonly new: unknown;
}

/** The text of a stack file with other values for some settings; comments, order and form of all others stay. */
export const withSettings = (text: string, changes: readonly SettingChange[]): string =>
  edited(text, (document) => {
    for (const { path, new: value } of changes) {
      const [section, ...keys] = path;
      document.setIn(["config", sectionKey(document, section), ...keys], nodeOf(document, value));
    }
  });

/** The engine reads a date without quotes as a point in time, and writes it in another form. */
function nodeOf(document: Document, value: unknown): unknown {
  const node = document.createNode(value);
  visit(node, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === "string" && /^\d{4}-\d/.test(scalar.value)) scalar.type = "QUOTE_DOUBLE";
    },
  });
  return node;
}

/**
 * The texts of the files in which settings stand, by name, with other values: those of a group with a file of its own
 * are there, below the name of the stack, and all others in the stack file.
 *
 * @param texts the files as they are
 */
export function withSettingsOfAll(
  source: SettingsSource,
  texts: Readonly<Record<string, string>>,
  changes: readonly SettingChange[],
): Record<string, string> {
  const merged = mergedConfig(source);
  const results = new Map<string, string>();
  for (const change of changes) {
    const place = groupPlace(merged, change.path);
    const file = place?.group.file ?? source.stackFile;
    const text = results.get(file) ?? texts[file];
    if (text === undefined) throw new Error(`nobody read ${file}`);
    const next =
      place === undefined
        ? withSettings(text, [change])
        : edited(text, (document) =>
            setInGroup(document, source.stack, place.group.name, place.path, change.new),
          );
    results.set(file, next);
  }
  return Object.fromEntries(results);
}

function setInGroup(
  document: Document,
  stack: string,
  group: string,
  keys: readonly PropertyKey[],
  value: unknown,
): void {
  // An image that the file describes has the group's name already.
  if (keys.length === 1 && keys[0] === "image" && value === group) return;
  const path = ["stacks", stack, ...keys];
  path.slice(0, -1).forEach((_, index) => {
    const place = path.slice(0, index + 1);
    if (!isCollection(document.getIn(place, true))) document.setIn(place, document.createNode({}));
  });
  document.setIn(path, value);
}

/** Forms of a YAML text: `[a]` and `{a: b}`, `[ a ]` and `{ a: b }`, and Prettier's `[a]` and `{ a: b }`. */
const FORMS: readonly ((document: Document) => string)[] = [
  (document) => document.toString({ flowCollectionPadding: false, lineWidth: 0 }),
  (document) => document.toString({ flowCollectionPadding: true, lineWidth: 0 }),
  (document) =>
    document
      .toString({ flowCollectionPadding: true, lineWidth: 0 })
      .replaceAll(/\[ ([^[\]"'\n]*) \]/g, "[$1]"),
];

/** A text after a change of its document, in the form that it had, so that nothing but the changed lines differs. */
function edited(text: string, change: (document: Document) => void): string {
  const document = documentOf(text, "the file of the setting");
  const form =
    FORMS.find((render) => render(document) === text) ?? ((other) => other.toString({ lineWidth: 0 }));
  change(document);
  return form(document);
}

/** The key of a section as the file writes it: the engine takes it without the project's prefix, too. */
export function sectionKey(document: Document, section: string): string {
  const key = `${PROJECT}:${section}`;
  const config = document.get("config");
  const written = isMap(config)
    ? config.items.map((pair) => (isScalar(pair.key) ? pair.key.value : pair.key))
    : [];
  return written.map(String).find((name) => fullKey(name, PROJECT) === key) ?? key;
}
