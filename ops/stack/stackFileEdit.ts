import { type Document, isMap, isScalar, parseDocument } from "yaml";
import { fullKey } from "../../settings/engineYaml";
import { PROJECT } from "../../settings/mapping";

/** A setting of a stack file and its new value. */
export interface SettingChange {
  /** Section of the stack file, without the project's prefix, and keys inside it. */
  readonly path: readonly [string, ...string[]];
  readonly new: unknown;
}

/** The text of a stack file with other values for some settings; comments, order and form of all others stay. */
export function withSettings(text: string, changes: readonly SettingChange[]): string {
  const document = parseDocument(text);
  // As the file is written, so that nothing but the changed lines differs.
  const style = [{ flowCollectionPadding: false }, { flowCollectionPadding: true }]
    .map((options) => ({ ...options, lineWidth: 0 }))
    .find((options) => document.toString(options) === text);
  for (const { path, new: value } of changes) {
    const [section, ...keys] = path;
    document.setIn(["config", sectionKey(document, section), ...keys], value);
  }
  return document.toString(style ?? { lineWidth: 0 });
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
