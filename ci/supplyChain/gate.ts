import { type Level, levels, match, type Match } from "./advisory";
import { type AllowedVulnerability, isExpired } from "./allowList";
import type { Component, Components } from "./components";
import { type Advisories, DatabaseUnavailable, readAdvisories } from "./database";

const DAY_MS = 86_400_000;

/** One vulnerability of one component. */
export interface Finding extends Match {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly component: Component;
  /** What allows it, expired or not. */
  readonly allowed?: AllowedVulnerability | undefined;
  /** Whether it keeps the gate shut. */
  readonly shuts: boolean;
}

/** What was compared with what. */
export interface Checked {
  readonly ecosystem: string;
  readonly components: number;
  readonly advisories: number;
  readonly newest: string;
  /** Whether its newest advisory is older than is allowed. */
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
  readonly now: Date;
}

/** Compares every component with the advisories about it. */
export async function checkVulnerabilities(options: GateOptions): Promise<GateResult> {
  const { components, database, allowed, maxAgeDays, now } = options;
  const findings: Finding[] = [];
  const checked: Checked[] = [];
  const notChecked = [...components.unknown];
  for (const ecosystem of [...new Set(components.known.map((component) => component.ecosystem))].sort()) {
    const mine = components.known.filter((component) => component.ecosystem === ecosystem);
    let advisories: Advisories;
    try {
      advisories = await readAdvisories(database, ecosystem, new Set(mine.map(({ name }) => name)));
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      notChecked.push(`${mine.length} packages of ${ecosystem}: ${error.message}`);
      continue;
    }
    const { total, newest } = advisories;
    const stale = now.getTime() - Date.parse(newest) > maxAgeDays * DAY_MS;
    checked.push({ ecosystem, components: mine.length, advisories: total, newest, stale });
    findings.push(...findingsOf(mine, advisories, options));
  }
  return {
    findings,
    checked,
    notChecked,
    expired: allowed.filter((entry) => isExpired(entry, now)),
    unused: allowed.filter((entry) => !findings.some((finding) => finding.allowed === entry)),
  };
}

function findingsOf(
  components: readonly Component[],
  { relevant }: Advisories,
  { allowed, level, now }: GateOptions,
): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const component of components) {
    for (const advisory of relevant) {
      const found = match(advisory, component);
      if (found === undefined) continue;
      const { id, summary, details } = advisory;
      const aliases = [...new Set([...advisory.aliases, ...advisory.upstream])];
      const keys = [id, ...aliases].map((name) => `${component.label}@${component.version} ${name}`);
      // Two binaries of one source, and one vulnerability under two names, are one finding.
      if (keys.some((key) => seen.has(key))) continue;
      for (const key of keys) seen.add(key);
      const entry = allowed.find(
        (candidate) => candidate.package === component.label && [id, ...aliases].includes(candidate.id),
      );
      const weighs = found.level === "unknown" || levels.indexOf(found.level) >= levels.indexOf(level);
      const shuts = weighs && (entry === undefined || isExpired(entry, now));
      const text = summary ?? details?.split("\n")[0] ?? "";
      findings.push({ ...found, id, aliases, summary: text, component, allowed: entry, shuts });
    }
  }
  return findings;
}

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
