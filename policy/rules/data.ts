import { EVERYWHERE, kindRule, PRODUCTION, type ResourceRule, SHARED, type StackRule } from "../rule";
import { FORMER_GENERATION } from "../../settings/backups";
import { KUBERNETES_PROVIDER, type Subject } from "../subject";
import { at, isSet, listAt, maybe, numberAt, someMay, textAt, UNKNOWN } from "../values";
import { workloadsOf } from "../workloads";

/** What holds data, or opens it, or takes it away when it goes. */
const STATEFUL_KINDS = ["Namespace", "PersistentVolumeClaim", "StatefulSet", "Cluster", "Database"];
const STATEFUL_TYPES = ["random:index/randomPassword:RandomPassword"];
/** Random texts that open nothing which is lost with them: new ones are as good. */
const REPLACEABLE = ["codec-server-token", "postgres-salt"];

/** Days within which a mistake in a workflow is found and can still be looked at. */
const LEAST_RETENTION_DAYS = 7;
/** Variable with the Temporal namespaces that a job keeps as described. */
const NAMESPACES_VARIABLE = "WANTED_NAMESPACES";
const CLUSTER = ["Cluster"];
/** Most of the log that a lost cluster may lose. */
const MOST_ARCHIVE_SECONDS = 900;

export const dataRules = [
  {
    id: "protected-data",
    title: "What holds data is protected from deletion.",
    reason: "A renamed resource or a mistaken destroy would delete the database, or the only key to it.",
    fix: "set the resource option protect, or `deletionProtection: true` in the stack's settings",
    levels: PRODUCTION,
    scope: "resource",
    check: ({ name, kind, type, object, protect }) => {
      const isStateful = STATEFUL_KINDS.includes(kind ?? "") || STATEFUL_TYPES.includes(type);
      const isLoss = isStateful && !REPLACEABLE.includes(name) && !isFormer(object);
      return isLoss && protect === false ? [{ text: "is not protected" }] : [];
    },
  } satisfies ResourceRule,
  {
    id: "postgres-backup",
    title: "Postgres clusters archive their log and are backed up on a schedule.",
    reason: "Replicas repeat every mistake: only a backup brings back what was deleted an hour ago.",
    fix: "set postgres.backup: an archiving plugin with a folder of the cluster's own, a ScheduledBackup that runs, a week of retention, a log that is archived every 15 minutes",
    levels: PRODUCTION,
    scope: "stack",
    check: (subjects) =>
      subjects
        // A generation that sleeps writes nothing.
        .filter(({ kind, object }) => kind === "Cluster" && !hibernates(object))
        .flatMap((subject) =>
          [
            ...archiveProblems(subject.object, subjects),
            ...scheduleProblems(subject.object, subjects),
            ...archiveTimeoutProblems(subject.object),
          ].map((text) => ({ subject, text })),
        ),
  } satisfies StackRule,
  kindRule(
    {
      id: "postgres-synchronous",
      title: "Postgres clusters acknowledge a commit when a replica has it.",
      reason: "A failover would lose commits that Temporal has told its clients of.",
      fix: "set spec.postgresql.synchronous with dataDurability: required, and three instances",
      levels: PRODUCTION,
    },
    CLUSTER,
    (object) => {
      const synchronous = at(object, "spec", "postgresql", "synchronous");
      if (!isSet(synchronous)) return ["does not replicate synchronously"];
      const durability = at(synchronous, "dataDurability") ?? "required";
      return [
        ...(maybe(durability, "required") ? [] : ["acknowledges commits without a replica"]),
        ...((numberAt(object, "spec", "instances") ?? 3) < 3 ? ["has fewer than three instances"] : []),
      ];
    },
  ),
  kindRule(
    {
      id: "postgres-access",
      title: "Postgres lets nobody in as superuser or without TLS.",
      reason: "Passwords and payloads would cross the network in the clear; a superuser may delete it all.",
      fix: "set enableSuperuserAccess: false, and reject hostnossl in spec.postgresql.pg_hba",
      levels: EVERYWHERE,
    },
    CLUSTER,
    (object) => {
      const rejects = someMay(at(object, "spec", "postgresql", "pg_hba"), (line) =>
        /^hostnossl\s+all\s+all\s+all\s+reject/.test(String(line)),
      );
      return [
        ...(at(object, "spec", "enableSuperuserAccess") === true ? ["lets its superuser log in"] : []),
        ...(rejects ? [] : ["takes connections without TLS"]),
      ];
    },
  ),
  kindRule(
    {
      id: "kept-databases",
      title: "Databases stay when their objects go.",
      reason: "Deleting a Kubernetes object would drop the database with all histories.",
      fix: "set databaseReclaimPolicy: retain",
      levels: SHARED,
    },
    ["Database"],
    (object) =>
      at(object, "spec", "databaseReclaimPolicy") === "delete" ? ["is dropped with its object"] : [],
  ),
  {
    id: "retention",
    title: `Temporal keeps closed workflows for at least ${LEAST_RETENTION_DAYS} days.`,
    reason: "Mistakes are noticed after the weekend: histories that are gone explain nothing.",
    fix: `set retentionDays of the namespace to ${LEAST_RETENTION_DAYS} or more`,
    levels: SHARED,
    scope: "resource",
    check: (subject) =>
      workloadsOf(subject)
        .flatMap(({ containers }) => containers)
        .flatMap((container) => listAt(container, "env"))
        .filter((entry) => at(entry, "name") === NAMESPACES_VARIABLE)
        .flatMap((entry) => shortRetentions(textAt(entry, "value")))
        .map((text) => ({ text })),
  } satisfies ResourceRule,
  {
    id: "cluster-identity",
    title: "The Kubernetes provider has a name for its cluster.",
    reason: "Without one a kubeconfig that changes its address replaces every object, data included.",
    fix: "set clusterIdentifier of the provider",
    levels: EVERYWHERE,
    scope: "resource",
    check: ({ type, object }) => {
      if (type !== KUBERNETES_PROVIDER) return [];
      const deletes = object["deleteUnreachable"];
      return [
        ...(isSet(object["clusterIdentifier"]) ? [] : [{ text: "has no clusterIdentifier" }]),
        ...(deletes === true || deletes === "true"
          ? [{ text: "forgets objects of a cluster that is out of reach" }]
          : []),
      ];
    },
  } satisfies ResourceRule,
];

/** Whether an object belongs to a generation of Postgres that another one has replaced; it stays when its resource goes. */
const isFormer = (object: unknown): boolean =>
  isSet(at(object, "metadata", "annotations", FORMER_GENERATION));

const hibernates = (object: unknown): boolean =>
  at(object, "metadata", "annotations", "cnpg.io/hibernation") === "on";

/** The plugin that archives the log, where, and for how long. */
function archiveProblems(cluster: unknown, subjects: readonly Subject[]): string[] {
  const plugins = at(cluster, "spec", "plugins");
  if (plugins === UNKNOWN) return [];
  const plugin = listAt(plugins).find((entry) => maybe(at(entry, "isWALArchiver"), true));
  if (plugin === undefined) return ["archives no log by a plugin (isWALArchiver)"];
  const folder = at(plugin, "parameters", "serverName");
  const name = at(cluster, "metadata", "name");
  const isOwn = folder === undefined || name === UNKNOWN || maybe(folder, name);
  return [
    ...(isOwn ? [] : ["archives into the folder of another cluster (serverName)"]),
    ...retentionProblems(at(plugin, "parameters", "barmanObjectName"), subjects),
  ];
}

function retentionProblems(storeName: unknown, subjects: readonly Subject[]): string[] {
  if (storeName === UNKNOWN) return [];
  const store = subjects.find(
    ({ kind, object }) => kind === "ObjectStore" && maybe(at(object, "metadata", "name"), storeName),
  );
  if (store === undefined) return ["archives to an ObjectStore that the stack does not have"];
  const policy = at(store.object, "spec", "retentionPolicy");
  const [, count = "0", unit = ""] = /^(\d+)([dwm])$/.exec(String(policy === UNKNOWN ? "" : policy)) ?? [];
  const days = Number(count) * ({ d: 1, w: 7, m: 30 }[unit] ?? 0);
  return policy === UNKNOWN || days >= LEAST_RETENTION_DAYS
    ? []
    : [`keeps backups for less than ${LEAST_RETENTION_DAYS} days (retentionPolicy)`];
}

function scheduleProblems(cluster: unknown, subjects: readonly Subject[]): string[] {
  const name = at(cluster, "metadata", "name");
  const schedules = subjects.filter(
    ({ kind, object }) =>
      kind === "ScheduledBackup" && (name === UNKNOWN || maybe(at(object, "spec", "cluster", "name"), name)),
  );
  if (schedules.length === 0) return ["has no ScheduledBackup"];
  return schedules.some(
    ({ object }) => maybe(at(object, "spec", "method"), "plugin") && at(object, "spec", "suspend") !== true,
  )
    ? []
    : ["has no ScheduledBackup that runs by the plugin: it is suspended, or of another method"];
}

/** Seconds of the units that postgresql.conf takes; a number without one is in seconds. */
const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, min: 60, h: 3600, d: 86_400 };

/** CloudNativePG's default is 5 minutes. */
function archiveTimeoutProblems(cluster: unknown): string[] {
  const path = ["spec", "postgresql", "parameters", "archive_timeout"];
  if (at(cluster, ...path) === UNKNOWN) return [];
  const timeout = textAt(cluster, ...path) ?? "5min";
  const [, count = "", unit = ""] = /^(\d+) *(s|min|h|d)?$/.exec(timeout) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? 0);
  return seconds > 0 && seconds <= MOST_ARCHIVE_SECONDS
    ? []
    : [`may lose more than ${MOST_ARCHIVE_SECONDS / 60} minutes of log (archive_timeout)`];
}

function shortRetentions(json: string | undefined): string[] {
  if (json === undefined) return [];
  let wanted: unknown;
  try {
    wanted = JSON.parse(json);
  } catch {
    return [`has a ${NAMESPACES_VARIABLE} that is not JSON`];
  }
  return listAt(wanted)
    .filter((namespace) => (numberAt(namespace, "retentionDays") ?? 0) < LEAST_RETENTION_DAYS)
    .map(
      (namespace) => `keeps workflows of ${textAt(namespace, "name") ?? "a namespace"} for too short a time`,
    );
}
