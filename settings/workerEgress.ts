import { isIP } from "node:net";
import { z } from "zod";
import { cidr, isHostName } from "./addresses";
import { ifWrongType, integer, oneOf, rule, text } from "./fields";
import { refusedKey } from "./kubernetesPart";
import { dnsLabel, labelMap } from "./names";

/** Shortest prefix of a range that still names somebody: a private network is 10.0.0.0/8. */
const SHORTEST_PREFIX = 8;

const NO_NAMES =
  "NetworkPolicies enforce addresses, not host names; list in cidrs the address ranges that the service publishes, or name an egress proxy in this cluster by namespace and podLabels and send the requests through it";

/** A range, and for a host name what to do about it. */
const range = z.string({ error: "an address range, such as 192.0.2.0/24" }).check(({ value, issues }) => {
  if (isIP(value) !== 0) {
    const prefix = value.includes(":") ? 128 : 32;
    issues.push(rule(`is an address; write it as the range ${value}/${prefix}`, []));
  } else if (isHostName(value)) {
    issues.push(rule(`names a host, but ${NO_NAMES}`, []));
  } else {
    const problem = cidr.safeParse(value).error?.issues[0];
    if (problem !== undefined) issues.push(rule(`must be ${problem.message}`, []));
  }
});

const egress = z
  .strictObject(
    {
      namespace: dnsLabel("a namespace name")
        .optional()
        .describe("Kubernetes namespace of the pods that the workers reach."),
      podLabels: labelMap("pod labels")
        .optional()
        .describe("Labels that narrow the namespace down to some of its pods."),
      cidrs: z
        .array(range, { error: "a list of address ranges" })
        .min(1, { error: "a list of at least one address range" })
        .optional()
        .describe("Address ranges, for what has no pods in this cluster."),
      host: refusedKey(NO_NAMES),
      ports: z
        .array(integer("port", 1, 65535), { error: "a list of ports" })
        .min(1, { error: "a list of at least one port" })
        .describe("Ports of the pods or addresses: behind a Service, those of its pods."),
      protocol: oneOf(["TCP", "UDP"]).default("TCP").describe("Protocol of the ports."),
      why: text("a reason of at most 200 characters in one line", /^[^\r\n]+$/, 200)
        .optional()
        .describe("What for; stands in reviews of the stack file."),
    },
    ifWrongType("a mapping with namespace or cidrs, and ports"),
  )
  .check(({ value, issues }) => {
    if ((value.namespace === undefined) === (value.cidrs === undefined) && value.host === undefined) {
      issues.push(rule("must say where to; set exactly one of namespace and cidrs", []));
    }
    if (value.podLabels !== undefined && value.namespace === undefined) {
      issues.push(rule("narrows namespace, which is not set; set it or remove podLabels", ["podLabels"]));
    }
  });

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
