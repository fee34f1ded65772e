import { z } from "zod";
import { text } from "./fields";

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
      reason: words("why the policy cannot be kept here").describe("Why the policy cannot be kept here."),
      owner: words("who answers for the exception").describe("Who answers for the exception."),
      expires: z
        .preprocess(dateOnly, z.iso.date({ error: 'a date, like "2027-01-31"' }))
        .describe("Last day on which it holds; after it the preview fails."),
    }),
    { error: "a list of {policy, resource, reason, owner, expires}" },
  )
  .default([]);

/** An exception from a policy. */
export type PolicyException = z.output<typeof policyExceptions>[number];
