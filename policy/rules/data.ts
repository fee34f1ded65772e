import { EVERYWHERE, kindRule, PRODUCTION, type ResourceRule, SHARED, type StackRule } from "../rule";
import { KUBERNETES_PROVIDER } from "../subject";
import { at, isFilled, isSet, listAt, maybe, numberAt, someMay, textAt, UNKNOWN } from "../values";
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

export const dataRules = [
  {
    id: "protected-data",
    title: "What holds data is protected from deletion.",
    reason: "A renamed resource or a mistaken destroy would delete the database, or the only key to it.",
    fix: "set the resource option protect, or `deletionProtection: true` in the stack's settings",
    levels: PRODUCTION,
    scope: "resource",
    check: ({ name, kind, type, protect }) => {
      const isStateful = STATEFUL_KINDS.includes(kind ?? "") || STATEFUL_TYPES.includes(type);
      const isLoss = isStateful && !REPLACEABLE.includes(name);
      return isLoss && protect === false ? [{ text: "is not protected" }] : [];
    },
  } satisfies ResourceRule,
  {
    id: "postgres-backup",
    title: "Postgres clusters archive their log and are backed up on a schedule.",
    reason: "Replicas repeat every mistake: only a backup brings back what was deleted an hour ago.",
    fix: "archive to an object store (spec.plugins or spec.backup), and add a ScheduledBackup for the cluster",
    levels: PRODUCTION,
    scope: "stack",
    check: (subjects) =>
      subjects
        .filter(({ kind }) => kind === "Cluster")
        .flatMap((subject) => {
          const name = at(subject.object, "metadata", "name");
          const archives =
            isSet(at(subject.object, "spec", "backup")) || isFilled(at(subject.object, "spec", "plugins"));
          const isScheduled = subjects.some(
            ({ kind, object }) =>
              kind === "ScheduledBackup" &&
              (name === UNKNOWN || maybe(at(object, "spec", "cluster", "name"), name)),
          );
          return [
            ...(archives ? [] : [{ subject, text: "archives no log" }]),
            ...(isScheduled ? [] : [{ subject, text: "has no ScheduledBackup" }]),
          ];
        }),
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
