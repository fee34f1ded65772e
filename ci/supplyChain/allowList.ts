import { existsSync, readFileSync } from "node:fs";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { Failure } from "../../common/failure";
import type { Advisory } from "./advisory";

/** Nobody can say for longer than this that a vulnerability does no harm. */
const LONGEST_DAYS = 90;
const DAY_MS = 86_400_000;

const entrySchema = z.strictObject({
  /** A CVE, or the id of an advisory. */
  id: z.string().min(1),
  /** As the gate prints it: `npm:name`, `deb:source` or `node`. */
  package: z.string().regex(/^(?:npm:\S+|deb:\S+|node)$/, "expected npm:NAME, deb:SOURCE or node"),
  owner: z.string().min(1),
  reason: z.string().min(20, "say why it does no harm here, in a sentence"),
  /** Last day on which it is allowed. */
  expires: z.iso.date(),
});
const fileSchema = z.strictObject({ allowed: z.array(entrySchema) });
export type AllowedVulnerability = z.output<typeof entrySchema>;

/**
 * Reads the list of vulnerabilities that are known to do no harm.
 *
 * @throws Failure naming everything that is wrong with it
 */
export function readAllowList(file: string, now: Date): AllowedVulnerability[] {
  if (!existsSync(file)) throw new Failure(`there is no ${file}`, "name the list of allowed vulnerabilities");
  const list = fileSchema.safeParse(contentOf(file));
  const problems = list.success
    ? list.data.allowed
        .filter(({ expires }) => Date.parse(expires) > now.getTime() + LONGEST_DAYS * DAY_MS)
        .map(({ id, expires }) => `${id}: expires ${expires}, expected at most ${LONGEST_DAYS} days from now`)
    : list.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  if (problems.length > 0 || !list.success) {
    throw new Failure(`${file} is wrong`, "correct what is named above", problems);
  }
  return list.data.allowed;
}

function contentOf(file: string): unknown {
  try {
    // In YAML, a date without quotes is a date, and not a text.
    return parse(readFileSync(file, "utf8"), { schema: "core" });
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new Failure(`${file} is not YAML`, "correct what is named above", [error.message]);
  }
}

/** Whether the last day of an entry is over. */
export const isExpired = ({ expires }: AllowedVulnerability, now: Date): boolean =>
  Date.parse(expires) + DAY_MS <= now.getTime();

/**
 * Whether an advisory is allowed: all its CVEs are, each by itself or by an entry that names an advisory about it. One
 * without a CVE is allowed by its id or an alias.
 *
 * @param among the advisories about the same thing, this one included
 * @param ids of the entries that are not over
 */
export function coversAdvisory(
  advisory: Advisory,
  among: readonly Advisory[],
  ids: readonly string[],
): boolean {
  const cves = cvesOf(advisory);
  const isNamed = ({ id, aliases }: Advisory): boolean =>
    [id, ...aliases].some((name) => !isCve(name) && ids.includes(name));
  if (cves.length === 0) return isNamed(advisory);
  const named = among.filter(isNamed).flatMap(cvesOf);
  return cves.every((cve) => ids.includes(cve) || named.includes(cve));
}

const isCve = (name: string): boolean => name.startsWith("CVE-");

const cvesOf = ({ id, aliases, upstream }: Advisory): string[] => [id, ...aliases, ...upstream].filter(isCve);
