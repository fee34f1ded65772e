import { storageClassProblems } from "../../../components/guards/storageClass";
import { volumeDemand, type VolumeDemand } from "../demand";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

/** What a storage class says about volumes. */
export interface StorageClass {
  readonly name: string;
  /** Whether claims that name no class get this one. */
  readonly isDefault: boolean;
  readonly provisioner: string;
  readonly expands: boolean;
  readonly reclaimPolicy: string;
  readonly bindingMode: string;
}

/** Storage classes of the volumes that the stack claims. */
export const storage: Check = {
  name: "storage",
  about: "storage classes: there, expansion, reclaim policy, binding mode",
  examine: async ({ settings, cluster }) => {
    const volumes = volumeDemand(settings);
    return volumes.length === 0
      ? [ok("the stack claims no volumes")]
      : storageFindings(volumes, await cluster.storageClasses(), settings.deletionProtection);
  },
};

/** @param keeps whether the stack's data must survive mistakes: `deletionProtection` */
export function storageFindings(
  volumes: readonly VolumeDemand[],
  classes: readonly StorageClass[],
  keeps: boolean,
): Finding[] {
  const defaults = classes.filter(({ isDefault }) => isDefault);
  const problems = storageClassProblems(
    Object.fromEntries(volumes.map(({ setting, storageClass }) => [setting, { storageClass }])),
    {
      found: "classes",
      names: classes.map(({ name }) => name),
      hasDefault: defaults.length > 0,
    },
  );
  return [
    ...problems.map((problem) =>
      failed(problem, "name a class that the cluster has, or have an administrator make one"),
    ),
    ...(defaults.length > 1 && volumes.some(({ storageClass }) => storageClass === undefined)
      ? [
          warning(
            `the cluster has several default storage classes: ${defaults.map(({ name }) => name).join(", ")}`,
            `name the one that is meant in temporal-stack:${volumes[0]?.setting ?? "postgres.storage"}.storageClass`,
          ),
        ]
      : []),
    ...used(volumes, classes).flatMap((entry) => classFindings(entry, keeps)),
  ];
}

interface Used {
  readonly storageClass: StorageClass;
  readonly settings: readonly string[];
}

/** The classes that the volumes get, each once. */
function used(volumes: readonly VolumeDemand[], classes: readonly StorageClass[]): Used[] {
  return classes.flatMap((storageClass) => {
    const settings = volumes
      .filter((volume) =>
        volume.storageClass === undefined
          ? storageClass.isDefault
          : volume.storageClass === storageClass.name,
      )
      .map(({ setting }) => setting);
    return settings.length === 0 ? [] : [{ storageClass, settings }];
  });
}

function classFindings({ storageClass, settings }: Used, keeps: boolean): Finding[] {
  const { name, provisioner, expands, reclaimPolicy, bindingMode } = storageClass;
  const of = settings.join(", ");
  const warnings = [
    ...(provisioner === "kubernetes.io/no-provisioner"
      ? [
          warning(
            `storage class ${name} (${of}) makes no volumes by itself`,
            "make the PersistentVolumes beforehand, or name another class",
          ),
        ]
      : []),
    ...(expands
      ? []
      : [
          warning(
            `volumes of storage class ${name} (${of}) can never grow`,
            "set allowVolumeExpansion: true on the class if its provisioner can, or name another class before the first up",
          ),
        ]),
    ...(keeps && reclaimPolicy === "Delete"
      ? [
          warning(
            `storage class ${name} (${of}) has reclaim policy Delete: who deletes a claim deletes the data`,
            "name a class with reclaimPolicy: Retain before the first up",
          ),
        ]
      : []),
    ...(bindingMode === "Immediate"
      ? [
          warning(
            `storage class ${name} (${of}) binds at once, before anybody knows the pod's node: the volume may be in a zone without room for the pod`,
            "name a class with volumeBindingMode: WaitForFirstConsumer",
          ),
        ]
      : []),
  ];
  return warnings.length > 0
    ? warnings
    : [ok(`storage class ${name} (${of}): grows, ${reclaimPolicy}, ${bindingMode}`)];
}
