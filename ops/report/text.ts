import type { ConfigChange } from "./configChanges";
import type { PolicyEvent } from "./events";
import type { Move } from "./moves";
import type { ResourceChange } from "./plan";
import type { PropertyChange } from "./propertyChanges";
import type { Loss, Report } from "./changeReport";

/*
 * What a report says, in words that both renderings share. Everything that comes from outside is `quoted` by the
 * rendering: names of resources, values and messages may have been chosen to deceive.
 */

/** Renders a text from outside so that it is nothing but a text. */
export type Quote = (text: string) => string;

/** The two places where such a text may stand. */
export interface Quotes {
  /** In a line, among others. */
  readonly inline: Quote;
  /** At the end of an entry, with lines of its own. */
  readonly message: Quote;
}

/** A part of the report: a heading and one entry a line. */
export interface Section {
  readonly title: string;
  readonly entries: readonly string[];
}

const ORDER = ["create", "update", "replace", "delete", "import"] as const;

/** `3 to update, 1 to replace, 61 unchanged` */
export function countsText({ counts, complete }: Report): string {
  const changes = ORDER.filter((operation) => counts[operation] > 0).map(
    (operation) => `${counts[operation]} to ${operation}`,
  );
  if (!complete) return ["incomplete", ...changes].join(", ");
  return [...(changes.length === 0 ? ["no changes"] : changes), `${counts.unchanged} unchanged`].join(", ");
}

export const verdictText: Readonly<Record<Report["verdict"], string>> = {
  unchanged: "nothing would change",
  changed: "this would change the stack",
  refused: "REFUSED: this cannot be deployed",
  failed: "FAILED: there is no complete preview",
};

/** Everything but the full diff; parts without entries are left out. */
export function sectionsOf(report: Report, quotes: Quotes): Section[] {
  const { inline: quote, message } = quotes;
  const { refusals, errors, warnings, unknowns, policies, losses } = report;
  const data = losses.filter(({ impact }) => impact?.kind === "data");
  const workflows = losses.filter(({ impact }) => impact?.kind === "workflows");
  const others = losses.filter(({ impact }) => impact === undefined);
  const sections: Section[] = [
    { title: "Refused by guards", entries: refusals.map(message) },
    { title: "Refused by policies", entries: policies.mandatory.map((found) => policyText(found, quotes)) },
    { title: "Errors", entries: errors.map(message) },
    { title: "Replaced or deleted, HOLDS DATA", entries: data.map((loss) => lossText(loss, quote)) },
    {
      title: "Replaced or deleted, INTERRUPTS WORKFLOWS",
      entries: workflows.map((loss) => lossText(loss, quote)),
    },
    { title: "Replaced or deleted besides", entries: others.map((loss) => lossText(loss, quote)) },
    { title: "Versions", entries: report.versions.map((move) => moveText(move, quote)) },
    { title: "Scaling", entries: report.scaling.map((move) => moveText(move, quote)) },
    {
      title: "Settings since the last update",
      entries: report.config.map((change) => configText(change, quote)),
    },
    { title: "Unknown", entries: unknowns.map(quote) },
    { title: "Advice of policies", entries: policies.advisory.map((found) => policyText(found, quotes)) },
    { title: "Warnings", entries: warnings.map(message) },
  ];
  return sections.filter(({ entries }) => entries.length > 0);
}

function lossText({ resource, impact }: Loss, quote: Quote): string {
  const { operation, reasons, protect, retainOnDelete } = resource;
  const notes = [
    ...(impact === undefined ? [] : [impact.why]),
    ...(reasons.length === 0 ? [] : [`because of ${reasons.map(quote).join(", ")}`]),
    ...(protect ? ["protected: the update will refuse"] : []),
    ...(operation === "delete" && retainOnDelete ? ["stays in the cluster"] : []),
  ];
  return [`${operation} ${resourceText(resource, quote)}`, ...notes].join("; ");
}

/** `Deployment worker-orders-deployment (temporal-workers/worker-orders-4f2a)` */
export function resourceText(
  { type, name, object }: Pick<ResourceChange, "type" | "name" | "object">,
  quote: Quote,
): string {
  const kind = type.slice(type.lastIndexOf(":") + 1);
  return `${quote(kind)} ${quote(name)}${object === undefined ? "" : ` (${quote(object)})`}`;
}

const moveText = ({ what, old, new: next }: Move, quote: Quote): string =>
  `${quote(what)}: ${quote(shortDigests(old))} → ${quote(shortDigests(next))}`;

/** Enough to tell digests apart; the full diff has them whole. */
const shortDigests = (text: string): string =>
  text.replace(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, "sha256:$1…");

const configText = ({ key, old, new: next }: ConfigChange, quote: Quote): string =>
  `${quote(key)}: ${valueText(old, quote)} → ${valueText(next, quote)}`;

const valueText = (value: string | undefined, quote: Quote): string =>
  value === undefined ? "not set" : quote(value);

function policyText(
  { policyName, resourceUrn = "", message }: PolicyEvent,
  { inline, message: quote }: Quotes,
): string {
  const resource = resourceUrn.split("::").slice(3).join("::");
  return `${inline(policyName)}${resource === "" ? "" : ` on ${inline(resource)}`}: ${quote(message)}`;
}

const SIGNS = { create: "+", update: "~", replace: "±", delete: "-", import: "=" } as const;

/** The full diff of one resource; nothing in it is quoted. */
export function diffLines(resource: ResourceChange): string[] {
  const { operation, changes } = resource;
  return [
    `${SIGNS[operation]} ${operation} ${resourceText(resource, (text) => text)}`,
    ...changes.flatMap((change) => propertyLines(change)),
  ];
}

/** The lines of one property: the sign comes first, as in every diff. */
export function propertyLines({ path, old, new: next, lines, replaces }: PropertyChange): string[] {
  const place = `${path}:${replaces ? " (replaces the resource)" : ""}`;
  if (lines !== undefined)
    return [`    ${place}`, ...lines.map((line) => `${line.slice(0, 1)}     ${line.slice(1)}`)];
  if (old === undefined && next === undefined) return [`    ${place} changes`];
  return [...signed("-", place, old), ...signed("+", place, next)];
}

/** A value of several lines has the sign before each of them. */
function signed(sign: string, place: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  const [first = "", ...others] = value.split("\n");
  return [`${sign}   ${place} ${first}`, ...others.map((line) => `${sign}     ${line}`)];
}
