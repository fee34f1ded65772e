import { fromVector } from "ae-cvss-calculator";
import semver from "semver";
import { z } from "zod";
import type { Component } from "./components";
import { compareDebianVersions } from "./debianVersion";

/** Databases write an empty list in three ways. */
const list = <T extends z.ZodType>(entry: T) =>
  z
    .array(entry)
    .nullish()
    .transform((entries) => entries ?? []);
const event = z.object({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
});
const severity = list(z.object({ type: z.string(), score: z.string() }));
const affected = z.looseObject({
  package: z.object({ ecosystem: z.string(), name: z.string() }).nullish(),
  ranges: list(z.object({ type: z.string(), events: list(event) })),
  versions: list(z.string()),
  severity,
  ecosystem_specific: z.looseObject({ urgency: z.string().optional() }).nullish(),
});

/** The part of an advisory in OSV's format that the gate goes by. */
export const advisorySchema = z.looseObject({
  id: z.string(),
  modified: z.iso.datetime({ offset: true }),
  withdrawn: z.string().nullish(),
  aliases: list(z.string()),
  upstream: list(z.string()),
  summary: z.string().nullish(),
  details: z.string().nullish(),
  severity,
  affected: list(affected),
  database_specific: z.looseObject({ severity: z.string().optional().catch(undefined) }).nullish(),
});
export type Advisory = z.output<typeof advisorySchema>;
type Event = z.output<typeof event>;
type Affected = z.output<typeof affected>;

/** From harmless to worst; `unknown` counts as high. */
export const levels = ["none", "low", "medium", "high", "critical"] as const;
export type Level = (typeof levels)[number];

/** What an advisory means for a component. */
export interface Match {
  /** Versions in which it is mended, as the advisory names them. */
  readonly fixed: readonly string[];
  readonly level: Level | "unknown";
  /** CVSS base score, if there is one. */
  readonly score?: number | undefined;
}

/** Whether and how an advisory is about a component; undefined if it is not. */
export function match(advisory: Advisory, component: Component): Match | undefined {
  if (advisory.withdrawn != null) return undefined;
  const hits = advisory.affected.filter((entry) => isAffected(entry, component));
  if (hits.length === 0) return undefined;
  const fixed = hits.flatMap(({ ranges }) =>
    ranges.flatMap(({ events }) => events.flatMap((e) => e.fixed ?? [])),
  );
  return { fixed: [...new Set(fixed)], ...severityOf(advisory, hits) };
}

function isAffected({ package: target, ranges, versions }: Affected, component: Component): boolean {
  if (target?.ecosystem !== component.ecosystem || target.name !== component.name) return false;
  const compare = component.ecosystem.startsWith("Debian:") ? compareDebianVersions : compareSemver;
  const comparable = ranges.filter(({ type }) => type !== "GIT");
  // An advisory that names neither is about every version.
  if (comparable.length === 0 && versions.length === 0) return true;
  return (
    versions.includes(component.version) ||
    comparable.some(({ events }) => isInRange(component.version, events, compare))
  );
}

/** A version that cannot be compared is taken for affected. */
function isInRange(
  version: string,
  events: readonly Event[],
  compare: (one: string, other: string) => number,
): boolean {
  const against = (other: string): number => (other === "0" ? 1 : compare(version, other));
  const points = events.flatMap(({ introduced, fixed, last_affected: last }) => [
    ...(introduced === undefined
      ? []
      : [{ at: introduced, reached: against(introduced) >= 0, affects: true }]),
    ...(fixed === undefined ? [] : [{ at: fixed, reached: against(fixed) >= 0, affects: false }]),
    ...(last === undefined ? [] : [{ at: last, reached: against(last) > 0, affects: false }]),
  ]);
  if (points.some(({ at }) => at !== "0" && Number.isNaN(compare(version, at)))) return true;
  const sorted = [...points].sort((one, other) =>
    one.at === other.at ? Number(other.affects) - Number(one.affects) : orderOf(one.at, other.at, compare),
  );
  return sorted.filter(({ reached }) => reached).at(-1)?.affects === true;
}

function orderOf(one: string, other: string, compare: (one: string, other: string) => number): number {
  if (one === "0" || other === "0") return one === other ? 0 : one === "0" ? -1 : 1;
  return compare(one, other);
}

function compareSemver(one: string, other: string): number {
  const [left, right] = [semver.parse(one, { loose: true }), semver.parse(other, { loose: true })];
  return left === null || right === null ? Number.NaN : semver.compare(left, right);
}

function severityOf(advisory: Advisory, hits: readonly Affected[]): Pick<Match, "level" | "score"> {
  if (advisory.id.startsWith("MAL-")) return { level: "critical" };
  if (hits.every(({ ecosystem_specific: own }) => own?.urgency === "unimportant")) return { level: "none" };
  const vectors = [...advisory.severity, ...hits.flatMap((hit) => hit.severity)];
  const scores = vectors.flatMap(({ score }) => scoreOf(score) ?? []);
  if (scores.length > 0) {
    const score = Math.max(...scores);
    return { level: levelOf(score), score };
  }
  const word = advisory.database_specific?.severity?.toLowerCase();
  const level = levels.find((name) => name === (word === "moderate" ? "medium" : word));
  return { level: level ?? "unknown" };
}

const cvssSchema = z.object({ base: z.number() });

/** Base score of a CVSS vector of any version; undefined if it is incomplete or none. */
function scoreOf(vector: string): number | undefined {
  try {
    const parsed: unknown = fromVector(vector);
    const calculated = z.looseObject({ calculateScores: z.function() }).safeParse(parsed);
    if (!calculated.success) return undefined;
    const scores = cvssSchema.safeParse(Reflect.apply(calculated.data.calculateScores, parsed, []));
    return scores.success ? scores.data.base : undefined;
  } catch {
    return undefined;
  }
}

function levelOf(score: number): Level {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "none";
}
