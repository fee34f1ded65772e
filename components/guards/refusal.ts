import * as pulumi from "@pulumi/pulumi";
import { refusal } from "./sentence";
import type { Succeeded } from "./record";

/** Inputs of a resource as the engine hands them over, or what is left of them. */
export type Inputs = Readonly<Record<string, unknown>>;

/**
 * Refuses an update of a resource by what the engine knows it to be: also in previews, without the cluster,
 * and after an update that failed half-way. What the engine knows may be what that one attempted, so that the last
 * success is handed over, too: the way back to it stays open. Deletions and replacements have no such hook: a hook that runs
 * at deletion would make `pulumi destroy` need the program. They are left to `protect` and to the record of
 * the stack (record.ts).
 * @param name unique name
 * @param succeeded what the last successful update left
 * @param problems what is wrong with a change, given the inputs as they were last attempted
 */
export function refusedUpdate(
  name: string,
  succeeded: Promise<Succeeded>,
  problems: (attempted: Inputs, succeeded: Succeeded) => readonly string[],
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    name,
    async ({ oldInputs }) => {
      const message = refusal(problems(oldInputs ?? {}, await succeeded));
      if (message !== undefined) throw new Error(`${message}\nThis resource was not changed.`);
    },
    { onDryRun: true },
  );
  return { beforeUpdate: [hook] };
}

/**
 * Says that a cluster did not tell what a guard asks of it: a preview goes on, an update must not.
 * @throws Error with the sentence in an update
 */
export async function refuseUnseen(sentence: string): Promise<void> {
  if (!pulumi.runtime.isDryRun()) throw new Error(sentence);
  await pulumi.log.warn(`${sentence}; the update will look again`);
}

/** Guards of one resource as one: spread over each other, the second would take the place of the first. */
export function joined(...bindings: readonly pulumi.ResourceHookBinding[]): pulumi.ResourceHookBinding {
  return {
    beforeCreate: bindings.flatMap(({ beforeCreate }) => beforeCreate ?? []),
    beforeUpdate: bindings.flatMap(({ beforeUpdate }) => beforeUpdate ?? []),
  };
}
