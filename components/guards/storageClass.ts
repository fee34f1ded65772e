import * as pulumi from "@pulumi/pulumi";

/** What a cluster answers when it is asked for its storage classes. */
export type StorageClassLookup =
  | {
      readonly found: "classes";
      readonly names: readonly string[];
      /** Whether one of them is taken where a claim names none. */
      readonly hasDefault: boolean;
    }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/** Settings of a volume by their key below `temporal-stack:`. */
export type Volumes = Readonly<Record<string, { readonly storageClass?: string | undefined }>>;

/** Why volumes would never be made, but waited for until a timeout. */
export function storageClassProblems(volumes: Volumes, lookup: StorageClassLookup): string[] {
  if (lookup.found !== "classes") return [];
  const choice = lookup.names.length === 0 ? "it has none" : `it has ${lookup.names.join(", ")}`;
  return Object.entries(volumes).flatMap(([key, { storageClass }]) => {
    const place = `temporal-stack:${key}.storageClass`;
    if (storageClass === undefined) {
      return lookup.hasDefault ? [] : [`${place}: the cluster has no default class, so name one: ${choice}`];
    }
    return lookup.names.includes(storageClass)
      ? []
      : [`${place}: the cluster has no class "${storageClass}": ${choice}`];
  });
}

/**
 * Refuses to create what needs volumes of a storage class that the cluster does not have. Runs only when it is to be
 * created, in previews too; where the cluster cannot be asked, it says so and goes on, as nothing can be lost.
 * @param name unique name
 */
export function storageClassGuard(
  name: string,
  volumes: Volumes,
  look: () => Promise<StorageClassLookup>,
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    name,
    async () => {
      const lookup = await look();
      const problems = storageClassProblems(volumes, lookup);
      if (problems.length > 0) throw new Error(problems.join("\n"));
      if (lookup.found !== "unknown") return;
      await pulumi.log.warn(`cannot see which storage classes the cluster has: ${lookup.reason}`);
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook] };
}
