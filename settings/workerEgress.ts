import { z } from "zod";
import { oneKindOf, portedPeerFields, SHORTEST_PREFIX } from "./addresses";
import { ifWrongType, oneOf, rule, text } from "./fields";

const WHO = "what the workers reach";

const egress = z
  .strictObject(
    {
      ...portedPeerFields(WHO),
      protocol: oneOf(["TCP", "UDP"]).default("TCP").describe("Protocol of the ports."),
      why: text("a reason of at most 200 characters in one line", /^[^\r\n]+$/, 200)
        .optional()
        .describe("What for; stands in reviews of the stack file."),
    },
    ifWrongType("a mapping with namespace or cidrs, and ports"),
  )
  .check(oneKindOf(WHO));

/** Where the workers of a group connect to, beyond Temporal. */
export const workerEgress = z
  .array(egress, { error: "a list of {namespace, podLabels, ports} or {cidrs, ports}" })
  .default([])
  .describe(
    "Where the workers may connect to, beyond Temporal, name resolution and traces; nowhere by default.",
  );

/** One such way out. */
export type WorkerEgress = z.output<typeof egress>;

/** What is wrong with ways out of a stack whose data survives mistakes: an open network lets it leave. */
export function openEgressProblems(
  deletionProtection: boolean,
  workers: readonly { readonly egress: readonly WorkerEgress[] }[],
) {
  if (!deletionProtection) return [];
  return workers.flatMap(({ egress: ways }, group) =>
    ways.flatMap(({ cidrs = [] }, way) =>
      cidrs.flatMap((value, index) =>
        Number(value.split("/")[1]) < SHORTEST_PREFIX
          ? [
              rule(
                `${value} lets workers send data anywhere, and this stack is protected (deletionProtection); list the ranges that the service publishes, or send through an egress proxy in this cluster and name its namespace and podLabels`,
                ["workers", group, "egress", way, "cidrs", index],
              ),
            ]
          : [],
      ),
    ),
  );
}
