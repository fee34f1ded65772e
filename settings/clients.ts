import { z } from "zod";
import { rule } from "./fields";
import { dnsLabel, labelMap, objectName, temporalNamespace } from "./names";
import type { PayloadKey } from "./payloadKeys";

const client = z.strictObject({
  namespace: dnsLabel("a namespace name").describe(
    "Kubernetes namespace of an application; it must exist, and stays its own.",
  ),
  podLabels: labelMap("a label value")
    .optional()
    .describe("Labels of the pods that may call the frontend; every pod of the namespace by default."),
  temporalNamespace: temporalNamespace
    .optional()
    .describe("Temporal namespace that the connection settings name; `temporal.namespace` by default."),
  connection: objectName("the name of a ConfigMap")
    .default("temporal-connection")
    .describe("ConfigMap that the program makes there, with what an SDK reads from the environment."),
  payloadKeys: objectName("the name of a Secret")
    .optional()
    .describe(
      "Secret that the program makes there, with the keys of `payloadEncryption`: whoever reads it reads every payload. None by default.",
    ),
});

/** Applications that call the Temporal frontend. */
export const clients = z
  .array(client, { error: "a list of {namespace}" })
  .max(100, { error: "a list of at most 100 clients" })
  .check(({ value, issues }) => {
    value.forEach(({ namespace }, index) => {
      const earlier = value.findIndex((other) => other.namespace === namespace);
      if (earlier === index) return;
      issues.push(
        rule(`"${namespace}" is the namespace of clients[${earlier}] already; join the two`, [
          index,
          "namespace",
        ]),
      );
    });
  })
  .default([]);

/** An application that calls the Temporal frontend. */
export type ClientSettings = z.output<typeof client>;

interface Sections {
  readonly temporal:
    | { readonly mode: "devServer" | "external" }
    | { readonly mode: "chart"; readonly namespaces: readonly { readonly name: string }[] };
  readonly clients: readonly ClientSettings[];
  readonly payloadEncryption: { readonly enabled: boolean; readonly keys: readonly PayloadKey[] };
}

/**
 * What is wrong between clients and the rest.
 * @param own namespaces that the stack makes and closes
 */
export function clientProblems(
  { clients: all, payloadEncryption, temporal }: Sections,
  own: readonly string[],
) {
  const { enabled, keys } = payloadEncryption;
  const made = temporal.mode === "chart" ? temporal.namespaces.map(({ name }) => name) : undefined;
  const elsewhere = keys.find(({ existing }) => existing !== undefined);
  return all.flatMap(({ namespace, payloadKeys, temporalNamespace: used }, index) => [
    ...(used === undefined || made?.includes(used) !== false
      ? []
      : [
          rule(
            `"${used}" is none of temporal.namespaces (${made.join(", ")}); name one of them, or add it there`,
            ["clients", index, "temporalNamespace"],
          ),
        ]),
    ...(own.includes(namespace)
      ? [
          rule(
            "is a namespace of this stack, which admits nothing else; give the application one of its own",
            ["clients", index, "namespace"],
          ),
        ]
      : namespace.startsWith("kube-")
        ? [rule("belongs to Kubernetes itself; name the application's", ["clients", index, "namespace"])]
        : []),
    ...(payloadKeys === undefined
      ? []
      : !enabled
        ? [
            rule("has nothing to hand over: payloadEncryption.enabled is false; remove it", [
              "clients",
              index,
              "payloadKeys",
            ]),
          ]
        : elsewhere?.existing !== undefined
          ? [
              rule(
                `cannot hold "${elsewhere.id}", which is in your Secret "${elsewhere.existing.secret}": the program copies only keys that it keeps; remove payloadKeys, and bring your Secrets into that namespace as you brought them into the workers'`,
                ["clients", index, "payloadKeys"],
              ),
            ]
          : []),
  ]);
}
