import { z } from "zod";
import { rule, text } from "./fields";

const words = (what: string) => text(what, /\S/, 500);

/** The CLI hands over a date without quotes as a time of day. */
function dateOnly(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/ 00:00:00 \+0000 UTC$/, "") : value;
}

/** Exceptions from policies of the policy pack. */
export const policyExceptions = z
  .array(
    z.strictObject({
      policy: text("the id of a policy in docs/policies.md", /^[a-z][a-z0-9-]*$/, 63).describe(
        "Id of the policy, from [policies.md](policies.md).",
      ),
      resource: words("the name of a resource, as the policy's message has it").describe(
        "Resource that may break it, as the policy's message names it.",
      ),
      reason: words("why the policy cannot be kept here").describe("Why the resource cannot comply."),
      owner: words("who answers for the exception").describe("Owner of the exception."),
      expires: z
        .preprocess(dateOnly, z.iso.date({ error: 'a date such as "2027-01-31"' }))
        .describe("Last day of the exception; the preview fails after it."),
    }),
    { error: "a list of {policy, resource, reason, owner, expires}" },
  )
  .default([]);

/** Days for which an exception may hold; after them somebody looks at it again. */
const LONGEST_DAYS = 366;

/**
 * What is wrong with the end of an exception.
 * @param today date as `2026-11-26`
 */
export function endProblem({ expires }: Pick<PolicyException, "expires">, today: string): string | undefined {
  const days = (Date.parse(expires) - Date.parse(today)) / (24 * 60 * 60 * 1000);
  return days > LONGEST_DAYS
    ? `must be at most ${LONGEST_DAYS} days after today (${today}), got ${expires}; an exception without an end is no exception`
    : undefined;
}

/** What is wrong with the ends of the exceptions that are otherwise right. */
export function endProblems(configured: unknown, today: string): ReturnType<typeof rule>[] {
  if (!Array.isArray(configured)) return [];
  return configured.flatMap((entry: unknown, index) => {
    const parsed = policyExceptions.unwrap().element.safeParse(entry);
    const problem = parsed.success ? endProblem(parsed.data, today) : undefined;
    return problem === undefined ? [] : [rule(problem, ["policyExceptions", index, "expires"])];
  });
}

/** An exception from a policy. */
export type PolicyException = z.output<typeof policyExceptions>[number];
