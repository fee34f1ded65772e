import * as pulumi from "@pulumi/pulumi";
import { refusal } from "./sentence";

/** Inputs of a resource as the engine hands them over, or what is left of them. */
export type Inputs = Readonly<Record<string, unknown>>;

/**
 * Refuses an update of a resource by what the engine knows it to be: also in previews, without the cluster,
 * and after an update that failed half-way. Deletions and replacements have no such hook: a hook that runs
 * at deletion would make `pulumi destroy` need the program. They are left to `protect` and to the record of
 * the stack (record.ts).
 * @param name unique name
 * @param problems what is wrong with a change, given the inputs as deployed
 */
export function refusedUpdate(
  name: string,
  problems: (deployed: Inputs) => readonly string[],
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    name,
    ({ oldInputs }) => {
      const message = refusal(problems(oldInputs ?? {}));
      if (message !== undefined) throw new Error(`${message}\nThis resource was not changed.`);
    },
    { onDryRun: true },
  );
  return { beforeUpdate: [hook] };
}
