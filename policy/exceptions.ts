import { endProblem, type PolicyException, policyExceptions } from "../settings/policyExceptions";

/** Exceptions that hold, and what is wrong with the others. */
export interface Exceptions {
  readonly valid: readonly PolicyException[];
  readonly problems: readonly string[];
}

/**
 * Reads the exceptions of a stack. One that is wrong, unowned, of an unknown policy or past its date excepts nothing.
 * @param configured value of `temporal-stack:policyExceptions`; undefined if there are none
 * @param today date as `2026-11-26`; an exception holds on the day that it names
 * @param ids policies that there are
 */
export function readExceptions(configured: unknown, today: string, ids: readonly string[]): Exceptions {
  const entries: readonly unknown[] = Array.isArray(configured) ? configured : [];
  const valid: PolicyException[] = [];
  const problems: string[] = [];
  if (configured !== undefined && !Array.isArray(configured)) problems.push("policyExceptions is not a list");
  for (const [index, entry] of entries.entries()) {
    const at = `policyExceptions[${index}]`;
    const parsed = policyExceptions.unwrap().element.safeParse(entry);
    if (!parsed.success) {
      problems.push(
        ...parsed.error.issues.map(
          ({ path, message }) => `${[at, ...path.map(String)].join(".")}: must be ${message}`,
        ),
      );
      continue;
    }
    const { policy, resource, expires, owner } = parsed.data;
    if (!ids.includes(policy)) {
      problems.push(`${at}: there is no policy "${policy}"; docs/policies.md lists them all`);
    } else if (expires < today) {
      problems.push(`${at}: the exception of ${resource} from ${policy} ended on ${expires}; ask ${owner}`);
    } else {
      const problem = endProblem(parsed.data, today);
      if (problem === undefined) valid.push(parsed.data);
      else problems.push(`${at}.expires: ${problem}`);
    }
  }
  return { valid, problems };
}

/** The exception that lets a finding pass, if there is one. */
export function exceptionFor(
  exceptions: readonly PolicyException[],
  finding: { readonly policy: string; readonly resource: string },
): PolicyException | undefined {
  return exceptions.find(
    ({ policy, resource }) => policy === finding.policy && resource === finding.resource,
  );
}
