import { existingObjectProblem } from "../../../components/guards/existingObjectsGuard";
import type { Check } from "../check";
import type { Keys } from "../clusterReader";
import { existingObjects, type PlacedObject } from "../existingObjects";
import { type Finding, failed, ok } from "../finding";
import { inLanes } from "../lanes";

/** Secrets, ConfigMaps and ServiceAccounts that the settings name, with their keys. */
export const secrets: Check = {
  name: "secrets",
  about: "Secrets, ConfigMaps and ServiceAccounts that the settings name",
  examine: async ({ settings, cluster }) => {
    const named = existingObjects(settings);
    const found = await inLanes(named, ({ kind, namespace, name }) => cluster.keysOf(kind, namespace, name));
    return named.length === 0
      ? [ok("the settings name no Secret that exists already")]
      : named.map((object, index) => objectFinding(object, found[index]));
  },
};

/** @param found undefined: there is no such object */
export function objectFinding(object: PlacedObject, found: Keys | undefined): Finding {
  const { setting, kind, namespace, name, key, madeBy } = object;
  const text = `${kind} ${namespace}/${name} of ${setting}`;
  if (found === undefined && madeBy !== undefined) return ok(`${text} is made by ${madeBy}`);
  const lookup = found === undefined ? { found: "none" as const } : { found: "object" as const, ...found };
  const problem = existingObjectProblem(object, namespace, lookup);
  return problem === undefined
    ? ok(`${text}: ${key ?? "there"}`)
    : failed(
        problem,
        "do that before the first up; npm run deployer prints the namespace, where there is none yet",
      );
}
