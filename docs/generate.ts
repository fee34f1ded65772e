import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { settingsSchema } from "../settings/settings";
import { isMapping, type Mapping } from "../settings/mapping";
import { networkPage } from "./network";
import { policiesPage } from "./policies";
import { rbacPage } from "./rbac";
import { markdownTable } from "./table";

/*
 * Writes configuration.md from the schema that checks the settings, network.md and rbac.md from the tables
 * that are deployed, policies.md from the policy pack: `npm run docs`. A test fails when a file is not what the code says.
 */

interface Row {
  readonly key: string;
  readonly kind: string;
  readonly fallback: string;
  readonly description: string;
}

function text(node: Mapping, field: string): string | undefined {
  const value = node[field];
  return typeof value === "string" ? value : undefined;
}

function options(node: Mapping): Mapping[] {
  const found = node["oneOf"] ?? node["anyOf"];
  return Array.isArray(found) ? found.filter(isMapping) : [];
}

function kindOf(node: Mapping): string {
  const constant = text(node, "const");
  if (constant !== undefined) return `\`${constant}\``;
  const words = node["enum"];
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(", ");
  switch (text(node, "type")) {
    case "integer":
      return `integer, ${String(node["minimum"])} to ${String(node["maximum"])}`;
    case "number":
      return `number, ${String(node["minimum"])} to ${String(node["maximum"])}`;
    case "boolean":
      return "`true`, `false`";
    case "array":
      return "list";
    case "object":
      return "mapping";
    case undefined:
      return "any value";
    default:
      return "text";
  }
}

/** One row for each key, sections before what is in them. */
function rowsOf(node: Mapping, key: string, required: boolean): Row[] {
  const own: Row = {
    key,
    kind: options(node).length > 0 ? "mapping, by `mode`" : kindOf(node),
    fallback: fallbackOf(node, required),
    description: text(node, "description") ?? "",
  };
  const items = node["items"];
  if (isMapping(items)) return [own, ...childRows(items, `${key}[]`)];
  const named = node["additionalProperties"];
  if (isMapping(named) && isMapping(named["properties"])) return [own, ...childRows(named, `${key}.<name>`)];
  // A mapping that only groups other keys needs no row of its own.
  return [...(own.description === "" ? [] : [own]), ...childRows(node, key)];
}

function fallbackOf(node: Mapping, required: boolean): string {
  const value = node["default"];
  if (value === undefined || (isMapping(value) && Object.keys(value).length === 0))
    return required ? "**required**" : "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function childRows(node: Mapping, key: string): Row[] {
  const variants = options(node);
  if (variants.length > 0) {
    return variants.flatMap((variant) => childRows(variant, `${key}<${modeOf(variant)}>`));
  }
  const properties = isMapping(node["properties"]) ? node["properties"] : {};
  const required = Array.isArray(node["required"]) ? node["required"] : [];
  return Object.entries(properties).flatMap(([name, child]) =>
    isMapping(child) ? rowsOf(child, `${key}.${name}`, required.includes(name)) : [],
  );
}

function modeOf(variant: Mapping): string {
  const properties = variant["properties"];
  const mode = isMapping(properties) ? properties["mode"] : undefined;
  return isMapping(mode) ? String(mode["const"]) : "";
}

function table(rows: readonly Row[]): string {
  const cells = ({ key, kind, fallback, description }: Row) => [`\`${key}\``, kind, fallback, description];
  return markdownTable(["key", "value", "default", "meaning"], rows.map(cells));
}

/** Every setting, from the schema. */
export function configurationPage(): string {
  const schema: unknown = z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" });
  const properties = isMapping(schema) && isMapping(schema["properties"]) ? schema["properties"] : {};
  const required = isMapping(schema) && Array.isArray(schema["required"]) ? schema["required"] : [];
  const sections = Object.entries(properties).flatMap(([name, section]) => {
    if (!isMapping(section)) return [];
    const [own, ...rows] = rowsOf(section, name, required.includes(name));
    if (own === undefined) return [];
    const facts = [own.description, own.fallback === "" ? "" : `${own.kind}: ${own.fallback}.`].filter(
      (fact) => fact !== "",
    );
    return [[`## ${name}`, facts.join(" "), ...(rows.length === 0 ? [] : [table(rows)])].join("\n\n")];
  });
  return `${[
    "# Settings",
    "Written by `npm run docs` from the schema in `settings/settings.ts`; do not edit.",
    "Every key stands in `Pulumi.<stack>.yaml` under `config:`, with the prefix `temporal-stack:` before its section. Unknown keys are refused, and all mistakes are reported at once. The defaults are production's. Quantities are Kubernetes quantities in the spelling that Kubernetes keeps (`1Gi`, not `1024Mi`). `[]` stands for each item of a list, `<name>` for a name that you choose, `<mode>` for the variant with that `mode`.",
    "A YAML file that `TEMPORAL_STACK_MACHINE_SETTINGS` names lies over the stack file: `npm run up` keeps there what only this machine knows of the stack that it deploys. It says for which `stack` it is, and has the same sections (without prefix) below `settings`. Mappings are merged, lists replaced. For every other stack that variable is an error.",
    "The cluster is that of the kubeconfig in `KUBECONFIG` (one file) or `~/.kube/config`.",
    ...sections,
  ].join("\n\n")}\n`;
}

/** Every page that is written from the code, by its file. */
export const pages: Readonly<Record<string, () => string>> = {
  "configuration.md": configurationPage,
  "network.md": networkPage,
  "policies.md": policiesPage,
  "rbac.md": rbacPage,
};

/** A page as it lies in the repository. */
export function writtenPage(file: string): string {
  return readFileSync(join(__dirname, file), "utf8");
}

if (require.main === module) {
  for (const [file, page] of Object.entries(pages)) writeFileSync(join(__dirname, file), page());
}
