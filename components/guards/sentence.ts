const LOSS = "that would lose data or not start:";

/** One message for all problems; undefined if there are none. */
export function refusal(problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined;
  return [
    `${problems.length === 1 ? "a change" : `${problems.length} changes`} ${LOSS}`,
    ...problems.map((problem) => `  - ${problem}`),
  ].join("\n");
}

/** Sentences by which a refusal is known among everything that an engine says. */
const REFUSALS: readonly RegExp[] = [
  new RegExp(LOSS),
  // namespaceOwnership.ts
  /^the Kubernetes namespace "[^"]*" exists already and /m,
  // storageClass.ts
  /^temporal-stack:[\w.]+\.storageClass: the cluster has no /m,
  // monitoringGuard.ts
  /^temporal-stack:monitoring\.mode: the cluster has no resource type /m,
  // existingObjectsGuard.ts
  /^temporal-stack:[\w.[\]-]+: (Secret|ConfigMap|ServiceAccount) "[^"]*" (does not exist in|in namespace "[^"]*" (has no key|is one that stack)) /m,
  // clientObjectsGuard.ts
  /^temporal-stack:clients\[\d+\]\.\w+: (there is no namespace|(ConfigMap|Secret) "[^"]*" in namespace "[^"]*" is not of stack) /m,
  // payloadKeysGuard.ts
  /^Secret \S+ exists already with payload keys that this stack does not have /m,
  // The engine, of what protection.ts protects.
  /cannot be deleted\s+because it is protected/,
  /as it is currently marked for protection/,
];

/** Whether a message of the engine is a guard's refusal, and no fault. */
export const isRefusal = (message: string): boolean => REFUSALS.some((sentence) => sentence.test(message));
