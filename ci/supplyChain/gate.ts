import { type Advisory, type Level, levels, match, type Match } from "./advisory";
import { type AllowedVulnerability, coversAdvisory, isExpired } from "./allowList";
import type { Component, Components } from "./components";
import { type Advisories, DatabaseUnavailable, readAdvisories } from "./database";

const DAY_MS = 86_400_000;

/** What is known against one component under names that belong together. */
export interface Finding extends Match {
  /** Of the worst advisory. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly component: Component;
  /** What allows it or a part of it, expired or not. */
  readonly allowed: readonly AllowedVulnerability[];
  /** Whether it keeps the gate shut. */
  readonly shuts: boolean;
}

/** What was compared with what. */
export interface Checked {
  readonly ecosystem: string;
  readonly components: number;
  readonly advisories: number;
  /** Undefined if every advisory is of the future. */
  readonly newest: string | undefined;
  /** Whether its newest advisory is older than is allowed, or its age cannot be told. */
  readonly stale: boolean;
}

export interface GateResult {
  readonly findings: readonly Finding[];
  readonly checked: readonly Checked[];
  readonly notChecked: readonly string[];
  /** Entries of the list that are over, and those that no vulnerability needs. */
  readonly expired: readonly AllowedVulnerability[];
  readonly unused: readonly AllowedVulnerability[];
}

export interface GateOptions {
  readonly components: Components;
  /** Folder or address of the database. */
  readonly database: string;
  readonly allowed: readonly AllowedVulnerability[];
  /** The lowest level that keeps the gate shut. */
  readonly level: Level;
  /** Age of the newest advisory from which on a database is stale, in days. */
  readonly maxAgeDays: number;
  /** How many advisories a database has at least; default: by ecosystem. */
  readonly fewest?: number;
  readonly now: Date;
}

/** Compares every component with the advisories about it. */
export async function checkVulnerabilities(options: GateOptions): Promise<GateResult> {
  const { components, database, allowed, maxAgeDays, fewest, now } = options;
  const findings: Finding[] = [];
  const checked: Checked[] = [];
  const notChecked = [...components.unknown];
  for (const ecosystem of [...new Set(components.known.map((component) => component.ecosystem))].sort()) {
    const mine = components.known.filter((component) => component.ecosystem === ecosystem);
    let advisories: Advisories;
    try {
      const names = new Set(mine.map(({ name }) => name));
      advisories = await readAdvisories(database, ecosystem, names, { now, fewest });
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      notChecked.push(`${mine.length} packages of ${ecosystem}: ${error.message}`);
      continue;
    }
    const { total, newest } = advisories;
    const stale = newest === undefined || now.getTime() - Date.parse(newest) > maxAgeDays * DAY_MS;
    checked.push({ ecosystem, components: mine.length, advisories: total, newest, stale });
    findings.push(...findingsOf(mine, advisories, options));
  }
  return {
    findings,
    checked,
    notChecked,
    expired: allowed.filter((entry) => isExpired(entry, now)),
    unused: allowed.filter((entry) => !findings.some((finding) => finding.allowed.includes(entry))),
  };
}

function findingsOf(
  components: readonly Component[],
  { relevant }: Advisories,
  options: Pick<GateOptions, "allowed" | "level" | "now">,
): Finding[] {
  // Two binaries of one source are one component.
  const distinct = new Map(
    components.map((component) => [`${component.label}@${component.version}`, component]),
  );
  return [...distinct.values()].flatMap((component) => {
    const hits = relevant.flatMap((advisory) => {
      const found = match(advisory, component);
      return found === undefined ? [] : [{ advisory, found }];
    });
    return groupsOf(hits).map((group) => findingOf(component, group, options));
  });
}

interface Hit {
  readonly advisory: Advisory;
  readonly found: Match;
}

const namesOf = ({ id, aliases, upstream }: Advisory): string[] => [id, ...aliases, ...upstream];

/** Advisories that share a name, directly or by others, tell of the same thing. */
function groupsOf(hits: readonly Hit[]): Hit[][] {
  let groups: { names: Set<string>; hits: Hit[] }[] = [];
  for (const hit of hits) {
    const names = namesOf(hit.advisory);
    const same = groups.filter((group) => names.some((name) => group.names.has(name)));
    const joined = {
      names: new Set([...same.flatMap((group) => [...group.names]), ...names]),
      hits: [...same.flatMap((group) => group.hits), hit],
    };
    groups = [...groups.filter((group) => !same.includes(group)), joined];
  }
  return groups.map((group) => group.hits);
}

function findingOf(
  component: Component,
  group: readonly Hit[],
  { allowed, level, now }: Pick<GateOptions, "allowed" | "level" | "now">,
): Finding {
  const sorted = [...group].sort((one, other) => rankOf(other.found) - rankOf(one.found));
  const advisories = sorted.map(({ advisory }) => advisory);
  const names = new Set(advisories.flatMap(namesOf));
  const entries = allowed.filter((entry) => entry.package === component.label && names.has(entry.id));
  const valid = entries.filter((entry) => !isExpired(entry, now)).map(({ id }) => id);
  const shuts = sorted.some(
    ({ advisory, found }) => weighs(found.level, level) && !coversAdvisory(advisory, advisories, valid),
  );
  const [id = "", ...aliases] = names;
  return {
    level: sorted[0]?.found.level ?? "unknown",
    score: sorted[0]?.found.score,
    fixed: [...new Set(sorted.flatMap(({ found }) => found.fixed))],
    id,
    aliases,
    summary: advisories.map(textOf).find((text) => text !== "") ?? "",
    component,
    allowed: entries,
    shuts,
  };
}

const textOf = ({ summary, details }: Advisory): string => summary ?? details?.split("\n")[0] ?? "";

const rankOf = ({ level }: Match): number => levels.indexOf(level === "unknown" ? "high" : level);

/** What has no level keeps the gate shut at every level. */
const weighs = (level: Match["level"], lowest: Level): boolean =>
  level === "unknown" || levels.indexOf(level) >= levels.indexOf(lowest);

/** Exit codes of the gate. */
export const exitCodes = { passed: 0, shut: 1, notChecked: 3 } as const;

/** A release needs everything checked, with fresh data; anything else may go on unchecked, but has not passed. */
export function exitCodeOf(result: GateResult, { release }: { readonly release: boolean }): number {
  const { findings, checked, notChecked, expired } = result;
  if (findings.some(({ shuts }) => shuts) || expired.length > 0) return exitCodes.shut;
  if (release && checked.some(({ stale }) => stale)) return exitCodes.shut;
  if (checked.length === 0 || notChecked.length > 0) return release ? exitCodes.shut : exitCodes.notChecked;
  return exitCodes.passed;
}
