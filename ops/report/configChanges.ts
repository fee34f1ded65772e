import type { StackConfig } from "../stack/config";
import { type Leaf, leavesOf, SECRET } from "./values";

/** A setting that differs from what the last update was given. */
export interface ConfigChange {
  /** `temporal-stack:temporal.roles.history.replicas` */
  readonly key: string;
  /** Masked if secret; undefined if it was not set. */
  readonly old: string | undefined;
  readonly new: string | undefined;
}

/** Compares configurations key by key, inside mappings and lists too. Secrets are compared, and named only. */
export function configChanges(before: StackConfig, after: StackConfig): ConfigChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    // Where a secret is inside a mapping is not told: all of it counts as secret.
    const secret = before[key]?.secret === true || after[key]?.secret === true;
    const shown = (leaf: Leaf | undefined) => (secret || leaf?.secret === true ? SECRET : leaf?.text);
    const [old, next] = [leavesBelow(before[key]), leavesBelow(after[key])];
    return [...new Set([...old.keys(), ...next.keys()])].flatMap((path) => {
      const [was, willBe] = [old.get(path), next.get(path)];
      if (was?.text === willBe?.text) return [];
      return [
        {
          key: `${key}${path}`,
          old: was === undefined ? undefined : shown(was),
          new: willBe === undefined ? undefined : shown(willBe),
        },
      ];
    });
  });
}

const ROOT = "root";

/** Every value by its path below the key, with the dot before it. */
function leavesBelow(entry: StackConfig[string] | undefined): Map<string, Leaf> {
  if (entry === undefined) return new Map();
  const { value, objectValue } = entry;
  const leaves = [...leavesOf({ [ROOT]: objectValue ?? value }, { mask: false }).values()];
  return new Map(leaves.map((leaf) => [leaf.path.slice(ROOT.length), leaf]));
}
