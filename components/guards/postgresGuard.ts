import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type BackupSettings, destinationOf } from "../../settings/backups";
import type { PostgresClusterSettings, Settings } from "../../settings/settings";
import { splitImage, versionOf } from "../../settings/imageVersion";
import { bytesOf } from "../../settings/quantity";
import { servingGeneration } from "../manifests/postgresGenerations";
import type { Succeeded } from "./record";
import { type Inputs, refusedUpdate } from "./refusal";
import { refusal } from "./sentence";

/** What of deployed Postgres decides about which changes are possible. */
export const deployedPostgres = z.object({
  mode: z.enum(["cluster", "managed"]),
  /** Where the data is: the cluster's name and namespace, or the host, and the main database. */
  place: z.string(),
  /** Tag of the image, which begins with the version. */
  tag: z.string().optional(),
  storageSize: z.string().optional(),
  walStorageSize: z.string().optional(),
  loginRole: z.string().optional(),
  passwordGenerations: z.record(z.string(), z.number()).optional(),
  /** Newest generation, how it was restored, and the one in use; the first one without them. */
  generation: z.number().optional(),
  serving: z.number().optional(),
  restore: z
    .object({
      fromGeneration: z.number(),
      targetTime: z.string().optional(),
      backupId: z.string().optional(),
    })
    .optional(),
  /** Where backups go, and how long they are kept; absent without backups. */
  backup: z.object({ destination: z.string(), retentionDays: z.number() }).optional(),
});
/** Deployed Postgres. */
export type DeployedPostgres = z.output<typeof deployedPostgres>;

/** Postgres that the settings ask for. */
export function wantedPostgres({
  postgres,
  namespaces,
  stack,
}: Pick<Settings, "postgres" | "namespaces" | "stack">): DeployedPostgres | undefined {
  if (postgres === undefined) return undefined;
  if (postgres.mode === "managed") {
    return { mode: "managed", place: `${postgres.host}:${postgres.port}/${postgres.databases.default}` };
  }
  const { name, image, storage, walStorage, credentials, generation, restore, backup } = postgres;
  const { fromGeneration = 0, targetTime, backupId } = restore ?? {};
  return {
    mode: "cluster",
    place: `${namespaces.temporal}/${name}`,
    tag: splitImage(image).tag,
    storageSize: storage.size,
    ...(walStorage === undefined ? {} : { walStorageSize: walStorage.size }),
    loginRole: credentials.loginRole,
    passwordGenerations: credentials.passwordGenerations,
    ...(generation === 1 ? {} : { generation, serving: servingGeneration(postgres) }),
    ...(restore === undefined
      ? {}
      : {
          restore: {
            fromGeneration,
            ...(targetTime === undefined ? {} : { targetTime }),
            ...(backupId === undefined ? {} : { backupId }),
          },
        }),
    ...(backup === undefined
      ? {}
      : {
          backup: {
            destination: destinationOf(backup.store, stack),
            retentionDays: backup.retentionDays,
          },
        }),
  };
}

/** What is wrong with changing volumes and version of a Postgres cluster. */
export function clusterProblems(
  deployed: Pick<DeployedPostgres, "tag" | "storageSize" | "walStorageSize">,
  wanted: Pick<DeployedPostgres, "tag" | "storageSize" | "walStorageSize">,
): string[] {
  return [
    ...versionProblems(deployed.tag, wanted.tag),
    ...volumeProblems("storage", deployed.storageSize, wanted.storageSize),
    ...volumeProblems("walStorage", deployed.walStorageSize, wanted.walStorageSize),
  ];
}

function versionProblems(deployed: string | undefined, wanted: string | undefined): string[] {
  if (deployed === undefined || wanted === undefined) return [];
  const [oldMajor = 0] = versionOf(`:${deployed}`);
  const [major = 0] = versionOf(`:${wanted}`);
  return major >= oldMajor
    ? []
    : [
        `temporal-stack:postgres.image: deployed is PostgreSQL ${oldMajor} (${deployed}), found ${major} (${wanted}); an older major version cannot read the data: set it back, or restore a backup into a new cluster`,
      ];
}

/** Releases of Debian that images are made for, as their tags name them. */
const DEBIAN = /-(bullseye|bookworm|trixie|forky)\b/;

/** Why pg_upgrade, with which the operator goes to another major version, would fail. */
export function upgradeProblems(deployed: string | undefined, image: string): string[] {
  if (deployed === undefined) return [];
  const { tag } = splitImage(image);
  const [oldMajor = 0] = versionOf(`:${deployed}`);
  const [major = 0, minor] = versionOf(`:${tag}`);
  if (major <= oldMajor) return [];
  const place = `temporal-stack:postgres.image: deployed is ${deployed}, found ${tag}`;
  const [oldRelease, release] = [deployed, tag].map((text) => DEBIAN.exec(text)?.[1]);
  const otherDebian =
    oldRelease !== undefined && release !== undefined && oldRelease !== release
      ? [
          `${place}; another major version and another release of Debian at once sort texts differently, and the upgrade fails: go to ${tag.replace(DEBIAN, `-${oldRelease}`)} first, then to ${release}`,
        ]
      : [];
  // Release notes of PostgreSQL 17.6: pg_upgrade failed where max_slot_wal_keep_size was not -1.
  const slots =
    major === 17 && minor !== undefined && minor < 6
      ? [
          `${place}; pg_upgrade of 17.0 to 17.5 fails where max_slot_wal_keep_size limits the log, as it does here: take 17.6 or newer`,
        ]
      : [];
  return [...otherDebian, ...slots];
}

function volumeProblems(key: string, deployed: string | undefined, wanted: string | undefined): string[] {
  if (deployed === undefined) return [];
  const place = `temporal-stack:postgres.${key}`;
  if (wanted === undefined) {
    return [`${place}: deployed is ${deployed}, found nothing; the volume can never be removed: set it back`];
  }
  return (bytesOf(wanted) ?? 0) >= (bytesOf(deployed) ?? 0)
    ? []
    : [
        `${place}.size: deployed is ${deployed}, found ${wanted}; volumes never shrink: set at least ${deployed}`,
      ];
}

/**
 * What is wrong with where the data is and how Temporal logs in.
 * @param disposable whether the stack may be thrown away, data included
 */
export function placeProblems(
  deployed: DeployedPostgres,
  wanted: DeployedPostgres | undefined,
  disposable: boolean,
): string[] {
  if (wanted?.place !== deployed.place) {
    return disposable
      ? []
      : [
          `temporal-stack:postgres: deployed is ${deployed.mode} ${deployed.place}, found ${wanted === undefined ? "nothing" : `${wanted.mode} ${wanted.place}`}; the data would stay behind: set mode, name, host and namespaces.temporal back, or, to give the data up, set deletionProtection to "false" first`,
        ];
  }
  return [...generationProblems(deployed, wanted), ...passwordProblems(deployed, wanted)];
}

/** What is wrong with making a generation of backups, or with going back to the former one. */
function generationProblems(deployed: DeployedPostgres, wanted: DeployedPostgres): string[] {
  const [before, after] = [deployed.generation ?? 1, wanted.generation ?? 1];
  const place = "temporal-stack:postgres";
  if (after < before) {
    return [
      `${place}.generation: deployed is ${before}, found ${after}; it never goes down: set ${before}, and to go back to the former generation set postgres.serving`,
    ];
  }
  if (after > before + 1) {
    return [
      `${place}.generation: deployed is ${before}, found ${after}; it goes up by one at a time: set ${before + 1}`,
    ];
  }
  if (after === before) {
    return isDeepStrictEqual(deployed.restore, wanted.restore)
      ? []
      : [
          `${place}.restore: generation ${after} was made by another restore, and is not made again: set it back, or set postgres.generation to ${after + 1} for a new restore`,
        ];
  }
  const [oldMajor, major] = [deployed.tag, wanted.tag].map((tag) => versionOf(`:${tag ?? ""}`)[0]);
  return [
    ...(deployed.backup === undefined
      ? [
          `${place}.generation: found ${after}, but generation ${before} has no backups to restore: set ${before}, deploy postgres.backup, and wait for a backup`,
        ]
      : []),
    ...(oldMajor === major
      ? []
      : [
          `${place}.image: generation ${before} is PostgreSQL ${oldMajor ?? "?"}, found ${major ?? "?"}; backups are restored by their own major version: restore first, then upgrade`,
        ]),
  ];
}

/** What is wrong with where backups go and how long they are kept. */
export function backupProblems(
  deployed: DeployedPostgres,
  wanted: DeployedPostgres,
  { shortenRetentionToDays, moveStoreFrom }: Partial<BackupSettings>,
): string[] {
  const [before, after] = [deployed.backup, wanted.backup];
  if (before === undefined) return [];
  const place = "temporal-stack:postgres.backup";
  if (after === undefined) {
    return [
      `${place}: deployed is ${before.destination}, found nothing; from then on nothing could be restored: set it back, or, to give backups up, set deletionProtection to "false" first`,
    ];
  }
  return [
    ...(after.retentionDays >= before.retentionDays || after.retentionDays === shortenRetentionToDays
      ? []
      : [
          `${place}.retentionDays: deployed is ${before.retentionDays}, found ${after.retentionDays}; what is older would be deleted for ever: set it back, or acknowledge with shortenRetentionToDays: ${after.retentionDays}`,
        ]),
    ...(after.destination === before.destination || moveStoreFrom === before.destination
      ? []
      : [
          `${place}.store: deployed is ${before.destination}, found ${after.destination}; what was backed up would stay there, out of reach of a restore: set it back, or acknowledge with moveStoreFrom: ${before.destination}`,
        ]),
  ];
}

function passwordProblems(deployed: DeployedPostgres, wanted: DeployedPostgres): string[] {
  return Object.entries(deployed.passwordGenerations ?? {}).flatMap(([role, generation]) => {
    const next = wanted.passwordGenerations?.[role] ?? generation;
    const place = `temporal-stack:postgres.credentials.passwordGenerations.${role}: deployed is ${generation}, found ${next}`;
    if (next === generation) return [];
    if (next < generation) return [`${place}; it never goes down: set ${generation}`];
    if (next !== generation + 1) return [`${place}; it goes up by one at a time: set ${generation + 1}`];
    return role === deployed.loginRole
      ? [
          `${place}; Temporal uses role ${role} now, so its connections would be refused: set credentials.loginRole to the other role, deploy, then raise this`,
        ]
      : role === wanted.loginRole
        ? [
            `${place}, while credentials.loginRole changes to ${role}; deploy the new password first, then the role`,
          ]
        : [];
  });
}

const clusterInputs = z.object({
  spec: z.object({
    imageName: z.string(),
    storage: z.object({ size: z.string() }),
    walStorage: z.object({ size: z.string() }).optional(),
  }),
});

/** Volumes and version in the inputs of a Cluster; nothing where they are not ours. */
export function postgresOfCluster(
  inputs: Inputs,
): Pick<DeployedPostgres, "tag" | "storageSize" | "walStorageSize"> {
  const parsed = clusterInputs.safeParse(inputs);
  if (!parsed.success) return {};
  const { imageName, storage, walStorage } = parsed.data.spec;
  return {
    tag: splitImage(imageName).tag,
    storageSize: storage.size,
    ...(walStorage === undefined ? {} : { walStorageSize: walStorage.size }),
  };
}

/** What a Kubernetes cluster answers when it is asked for a Cluster of CloudNativePG. */
export type PostgresLookup =
  | { readonly found: "cluster" }
  | { readonly found: "none" }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/**
 * Why a Cluster must not be created that the last successful update left: it was lost with its Kubernetes cluster, or
 * deleted, and `pulumi refresh` took it from the state. A new one is empty, and Temporal would start on it.
 * @param disposable whether the stack may be thrown away, data included
 * @param generation that is to be created
 * @param lookup what is there now: one that still exists is adopted, data included
 */
export function recreationProblems(
  deployed: DeployedPostgres | null | undefined,
  wanted: DeployedPostgres | undefined,
  disposable: boolean,
  generation: number,
  lookup: PostgresLookup,
): string[] {
  if (disposable || deployed?.mode !== "cluster" || deployed.place !== wanted?.place) return [];
  const newest = deployed.generation ?? 1;
  if (generation > newest || lookup.found === "cluster") return [];
  const which = newest === 1 ? "" : `generation ${generation} of `;
  const place = `temporal-stack:postgres: ${which}Cluster ${deployed.place} was deployed and is not in the state any more`;
  if (lookup.found === "unknown") {
    return [
      `${place}, and nobody can tell whether it still exists: ${lookup.reason}; created anew it would be without what was written since: make the API server answer, then run this again`,
    ];
  }
  const giveUp = 'to give the data up, set deletionProtection to "false" first';
  const lost = `${place}, nor in the Kubernetes cluster`;
  if (generation < (wanted.generation ?? 1)) {
    return [`${lost}; nobody can go back to it: set postgres.restore.keepFormer to false`];
  }
  const made = generation === 1 ? "created empty" : "made of the same backup again";
  const restore =
    deployed.backup === undefined
      ? giveUp
      : `restore it with postgres.generation: ${newest + 1} and postgres.restore: {fromGeneration: ${newest}, keepFormer: false}; ${giveUp}`;
  return [
    `${lost}; it would be ${made}, and Temporal would start without the workflows that were in it: ${restore}`,
  ];
}

/**
 * Refuses what the data of the Cluster would not survive: its update, and its creation anew.
 * @param look asks for the Cluster in the Kubernetes cluster; only before a creation of what was deployed before
 */
export function postgresGuard(
  settings: Pick<Settings, "namespaces" | "deletionProtection" | "stack">,
  cluster: PostgresClusterSettings,
  generation: number,
  succeeded: Promise<Succeeded>,
  look: () => Promise<PostgresLookup>,
): pulumi.ResourceHookBinding {
  const wanted = wantedPostgres({ ...settings, postgres: cluster });
  const named = (name: string) => (generation === 1 ? name : `${name}-${generation}`);
  const recreation = new pulumi.ResourceHook(
    named("postgres-recreation"),
    async () => {
      const { record } = await succeeded;
      const problems = (lookup: PostgresLookup) =>
        recreationProblems(record?.postgres, wanted, !settings.deletionProtection, generation, lookup);
      if (problems({ found: "none" }).length === 0) return;
      const message = refusal(problems(await look()));
      if (message !== undefined) throw new Error(`${message}\nThis resource was not created.`);
    },
    { onDryRun: true },
  );
  const update = refusedUpdate(named("postgres-guard"), succeeded, (inputs, { record }) => {
    const attempted = postgresOfCluster(inputs);
    // After an upgrade that failed, the operator wants the image of before back. Volumes have grown all the same.
    const last = record?.postgres?.place === wanted?.place ? record?.postgres?.tag : undefined;
    const deployed = { ...attempted, tag: last ?? attempted.tag };
    return [...clusterProblems(deployed, wanted ?? {}), ...upgradeProblems(deployed.tag, cluster.image)];
  });
  return { ...update, beforeCreate: [recreation] };
}
