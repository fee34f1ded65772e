import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { PostgresClusterSettings, Settings } from "../../settings/settings";
import { splitImage, versionOf } from "../../settings/imageVersion";
import { bytesOf } from "../../settings/quantity";
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
});
/** Deployed Postgres. */
export type DeployedPostgres = z.output<typeof deployedPostgres>;

/** Postgres that the settings ask for. */
export function wantedPostgres({
  postgres,
  namespaces,
}: Pick<Settings, "postgres" | "namespaces">): DeployedPostgres | undefined {
  if (postgres === undefined) return undefined;
  if (postgres.mode === "managed") {
    return { mode: "managed", place: `${postgres.host}:${postgres.port}/${postgres.databases.default}` };
  }
  const { name, image, storage, walStorage, credentials } = postgres;
  return {
    mode: "cluster",
    place: `${namespaces.temporal}/${name}`,
    tag: splitImage(image).tag,
    storageSize: storage.size,
    ...(walStorage === undefined ? {} : { walStorageSize: walStorage.size }),
    loginRole: credentials.loginRole,
    passwordGenerations: credentials.passwordGenerations,
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
 * @param lookup what is there now: one that still exists is adopted, data included
 */
export function recreationProblems(
  deployed: DeployedPostgres | null | undefined,
  wanted: DeployedPostgres | undefined,
  disposable: boolean,
  lookup: PostgresLookup,
): string[] {
  if (disposable || deployed?.mode !== "cluster" || deployed.place !== wanted?.place) return [];
  if (lookup.found === "cluster") return [];
  const place = `temporal-stack:postgres: Cluster ${deployed.place} was deployed and is not in the state any more`;
  return lookup.found === "none"
    ? [
        `${place}, nor in the Kubernetes cluster; it would be created empty, and Temporal would start without its workflows: to give the data up, set deletionProtection to "false" first`,
      ]
    : [
        `${place}, and nobody can tell whether it still exists: ${lookup.reason}; created anew it would be empty: make the API server answer, then run this again`,
      ];
}

/**
 * Refuses what the data of the Cluster would not survive: its update, and its creation anew.
 * @param look asks for the Cluster in the Kubernetes cluster; only before a creation of what was deployed before
 */
export function postgresGuard(
  settings: Pick<Settings, "namespaces" | "deletionProtection">,
  cluster: PostgresClusterSettings,
  succeeded: Promise<Succeeded>,
  look: () => Promise<PostgresLookup>,
): pulumi.ResourceHookBinding {
  const wanted = wantedPostgres({ ...settings, postgres: cluster });
  const recreation = new pulumi.ResourceHook(
    "postgres-recreation",
    async () => {
      const { record } = await succeeded;
      const problems = (lookup: PostgresLookup) =>
        recreationProblems(record?.postgres, wanted, !settings.deletionProtection, lookup);
      if (problems({ found: "none" }).length === 0) return;
      const message = refusal(problems(await look()));
      if (message !== undefined) throw new Error(`${message}\nThis resource was not created.`);
    },
    { onDryRun: true },
  );
  const update = refusedUpdate("postgres-guard", succeeded, (inputs, { record }) => {
    const attempted = postgresOfCluster(inputs);
    // After an upgrade that failed, the operator wants the image of before back. Volumes have grown all the same.
    const last = record?.postgres?.place === wanted?.place ? record?.postgres?.tag : undefined;
    const deployed = { ...attempted, tag: last ?? attempted.tag };
    return [...clusterProblems(deployed, wanted ?? {}), ...upgradeProblems(deployed.tag, cluster.image)];
  });
  return { ...update, beforeCreate: [recreation] };
}
