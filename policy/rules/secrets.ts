import { isMapping } from "../../settings/mapping";
import { containerRule, EVERYWHERE, kindRule, type ResourceRule } from "../rule";
import { CONFIGURATION, type Subject } from "../subject";
import { at, isSet, listAt } from "../values";

/*
 * Values are only looked at, never repeated: what these rules find is a secret.
 */

const SECRET_WORD = /(pass(word|wd|phrase)|secret|token|api_?key|private_?key|credential)s?$/i;
/** Names that tell where a secret is, or how many there are. */
const REFERENCE = /(existing|name|ref|file|path|dir|url|generation)/i;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Whether a value under this name would be a secret in plain text. */
function isSecret(name: string, value: unknown): boolean {
  // A switch, like TEMPORAL_CODEC_INCLUDE_CREDENTIALS, is none.
  if (typeof value !== "string" || ["", "true", "false"].includes(value)) return false;
  return PRIVATE_KEY.test(value) || (SECRET_WORD.test(name) && !REFERENCE.test(name));
}

/** Paths of secrets in nested values. */
function secretPaths(value: unknown, path: readonly string[] = []): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => secretPaths(item, [...path, String(index)]));
  if (isMapping(value))
    return Object.entries(value).flatMap(([key, item]) => secretPaths(item, [...path, key]));
  return isSecret(path.at(-1) ?? "", value) ? [path.join(".")] : [];
}

export const secretRules = [
  containerRule(
    {
      id: "no-secret-in-environment",
      title: "Environment variables hold no secret in plain text.",
      reason: "Whoever may read the Deployment, the state or a crash report then has the secret.",
      fix: "mount a Secret as a file, or refer to it with secretKeyRef",
      levels: EVERYWHERE,
    },
    (container) => {
      const names = listAt(container, "env").flatMap((entry) => {
        const name = at(entry, "name");
        return typeof name === "string" && isSecret(name, at(entry, "value")) ? [name] : [];
      });
      return names.length === 0 ? undefined : `has ${names.join(", ")} in plain text`;
    },
  ),
  kindRule(
    {
      id: "no-secret-in-config-map",
      title: "ConfigMaps hold no secret.",
      reason: "ConfigMaps are not encrypted at rest, and most roles may read them.",
      fix: "put it into a Secret",
      levels: EVERYWHERE,
    },
    ["ConfigMap"],
    (object) => secretPaths(at(object, "data")).map((path) => `has ${path} in plain text`),
  ),
  {
    id: "no-secret-in-values",
    title: "Helm values hold no secret.",
    reason: "Helm keeps all values in plain text in its own Secret, and prints them with `helm get values`.",
    fix: "make a Secret and refer to it by name, like existingSecret",
    levels: EVERYWHERE,
    scope: "resource",
    check: ({ kind, object }: Subject) =>
      kind !== "Release"
        ? []
        : secretPaths(withoutReferences(object["values"])).map((path) => ({
            text: `has the value ${path} in plain text`,
          })),
  } satisfies ResourceRule,
  {
    id: "no-secret-in-settings",
    title: "Stack files hold secrets encrypted.",
    reason: "A stack file is committed: what was in it once is known for ever.",
    fix: "change the secret, and set it with `pulumi config set --secret --path`",
    levels: EVERYWHERE,
    scope: "resource",
    check: ({ type, object }: Subject) =>
      type !== CONFIGURATION
        ? []
        : secretPaths(object).map((path) => ({ text: `has ${path} in plain text` })),
  } satisfies ResourceRule,
];

/** In charts, `secretKey` beside `existingSecret` is the name of an entry. */
function withoutReferences(values: unknown): unknown {
  if (Array.isArray(values)) return values.map(withoutReferences);
  if (!isMapping(values)) return values;
  const refers = isSet(values["existingSecret"]);
  return Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => !(refers && key === "secretKey"))
      .map(([key, value]) => [key, withoutReferences(value)]),
  );
}
