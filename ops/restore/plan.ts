import { Failure } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";
import { clusterNameOf } from "../../components/manifests/postgresGenerations";
import type { PostgresClusterSettings } from "../../settings/settings";
import type { SettingChange } from "../stack/stackFileEdit";
import type { Archive, BaseBackup } from "./archive";

/** To which point the database is restored. */
export type RestorePoint =
  | { readonly kind: "latest" }
  | { readonly kind: "time"; readonly time: Date }
  /** By the name of its Backup, or by its id in the store. */
  | { readonly kind: "backup"; readonly name: string };

/** What the command was asked to do. */
export type Wish =
  | { readonly kind: "carryOn" }
  | { readonly kind: "restore"; readonly point: RestorePoint }
  | { readonly kind: "back" }
  | { readonly kind: "release" };

/** What the stack file says. */
export type FileGenerations = Pick<
  PostgresClusterSettings,
  "name" | "generation" | "serving" | "restore" | "backup"
>;

/** What decides about the next step: the stack file, the record of the last update, and the cluster. */
export interface RestoreFacts {
  readonly file: FileGenerations;
  /** As the last update that succeeded left it. */
  readonly deployed: { readonly generation: number; readonly serving: number };
  /** Of the generation that Temporal uses. */
  readonly archive: Archive;
  /** The Cluster of the file's newest generation. */
  readonly newest: "absent" | "filling" | "failed" | "ready";
  /** Deployments that an earlier call stopped. */
  readonly stopped: readonly string[];
  readonly now: Date;
}

/** One step: what it verifies and stops first, what it writes, and whether it has to be deployed. */
export interface RestoreStep {
  readonly name: "beside" | "deploy" | "switch" | "back" | "release" | "start";
  /** For people: what it does. */
  readonly title: string;
  /** Generation whose data is verified by SQL first. */
  readonly verifies?: number;
  /** Whether workers and server must be at zero first. */
  readonly stops: boolean;
  readonly changes: readonly SettingChange[];
  readonly deploys: boolean;
  readonly notes: readonly string[];
}

/** Seconds that a segment of the log takes to be fetched and replayed: measured, docs/backups.md. */
const SECONDS_PER_SEGMENT = 1;
const LATE_COMPLETIONS =
  "workers and clients stay stopped until the server is open: a late completion can be taken for another activity";

/**
 * The next step of a restore; undefined when none is left. How far an earlier call came is seen from the facts alone.
 *
 * @throws UsageFailure when the point cannot be restored or there is nothing to go back to; Failure when what is there
 *   has to be settled first
 */
export function nextStep(wish: Wish, facts: RestoreFacts): RestoreStep | undefined {
  const { file, deployed } = facts;
  const serving = file.serving ?? file.generation;
  if (file.backup === undefined) {
    throw new UsageFailure(
      "the stack has no backups (postgres.backup)",
      "set postgres.backup, deploy, and take a backup",
    );
  }
  const pending = file.generation !== deployed.generation || serving !== deployed.serving;
  if (wish.kind === "restore") return pending ? madeAnew(wish.point, facts) : begun(wish.point, facts);
  if (wish.kind === "back") return wentBack(facts);
  if (wish.kind === "release") return released(facts, pending);
  if (pending) return deployment(facts, serving);
  if (serving !== file.generation) return switched(facts);
  return facts.stopped.length === 0 ? undefined : started(facts.stopped);
}

const started = (stopped: readonly string[]): RestoreStep => ({
  name: "start",
  title: `start again what was stopped: ${stopped.join(", ")}`,
  stops: false,
  changes: [],
  deploys: false,
  notes: ["a worker group starts with one pod; its autoscaler adds the others"],
});

function begun(point: RestorePoint, facts: RestoreFacts): RestoreStep {
  const { file, deployed } = facts;
  const serving = file.serving ?? file.generation;
  if (serving !== file.generation) {
    throw new UsageFailure(
      `generation ${file.generation} is restored already and waits beside generation ${serving}`,
      "run the command without --to and --backup: it verifies generation " +
        `${file.generation} and moves Temporal to it; only then begin another restore`,
    );
  }
  return beside(point, facts, deployed.generation + 1, serving);
}

/** Another point for a generation that is written to the file and was never deployed. */
function madeAnew(point: RestorePoint, facts: RestoreFacts): RestoreStep {
  const { file, deployed, newest } = facts;
  if (file.generation !== deployed.generation + 1) {
    throw new UsageFailure(
      "a step of an earlier restore is written to the stack file and not deployed",
      "run the command without --to and --backup: it carries on",
    );
  }
  if (newest !== "absent") throw halfMade(facts);
  return beside(point, facts, file.generation, deployed.serving);
}

function beside(
  point: RestorePoint,
  facts: RestoreFacts,
  generation: number,
  fromGeneration: number,
): RestoreStep {
  const { archive } = facts;
  const chosen = targetOf(point, facts);
  const keepFormer = archive.exists;
  const restore = { fromGeneration, ...chosen.target, ...(keepFormer ? {} : { keepFormer }) };
  const former = clusterNameOf(facts.file, fromGeneration);
  return {
    name: "beside",
    title: keepFormer
      ? `make generation ${generation} of ${chosen.what}, beside generation ${fromGeneration}, which Temporal still uses`
      : `make generation ${generation} of ${chosen.what}, in place of Cluster ${former}, which is gone`,
    stops: !keepFormer,
    changes: [
      { path: ["postgres", "generation"], new: generation },
      { path: ["postgres", "restore"], new: restore },
      { path: ["postgres", "serving"], new: keepFormer ? fromGeneration : generation },
    ],
    deploys: true,
    notes: [
      ...chosen.notes,
      ...(facts.file.restore?.keepFormer === true && facts.file.restore.fromGeneration !== fromGeneration
        ? [
            `generation ${facts.file.restore.fromGeneration} is released: its Cluster stays in Kubernetes, hibernated`,
          ]
        : []),
      ...(keepFormer
        ? ["volumes, memory and CPU of Postgres double until the former generation is released"]
        : ["run pulumi refresh first, so that the state knows that the Cluster is gone", LATE_COMPLETIONS]),
    ],
  };
}

/** Where it stands how a base backup is taken outside its schedule. */
const BACKUP_PAGE = 'docs/backups.md, "A base backup now"';

interface Target {
  readonly target: { readonly targetTime: string } | { readonly backupId: string } | Record<string, never>;
  readonly what: string;
  readonly notes: readonly string[];
}

function targetOf(point: RestorePoint, { archive, now, file }: RestoreFacts): Target {
  const { backups, clusterName } = archive;
  const completed = backups.filter(({ state, endedAt }) => state === "completed" && endedAt !== undefined);
  if (completed.length === 0 && archive.exists) {
    const failed = backups.find(({ state }) => state === "failed");
    throw new UsageFailure(
      `Cluster ${clusterName} has no completed base backup, and nothing can be restored without one`,
      `take one (${BACKUP_PAGE}), and see what ContinuousArchiving of the Cluster says`,
      failed === undefined ? [] : [`${failed.name} failed: ${failed.error ?? "no reason is given"}`],
    );
  }
  if (point.kind === "backup") return backupTarget(point.name, archive, now);
  const unseen =
    completed.length > 0
      ? []
      : ["the cluster knows of no backup any more: what the store has shows only in the restore itself"];
  if (point.kind === "latest") {
    const base = completed[0];
    return {
      target: {},
      what: `all that generation ${clusterName} has archived`,
      notes: [
        ...unseen,
        `lost: what was not archived, at most the last ${file.backup?.archiveTimeoutSeconds ?? 0} s before the last segment`,
        ...(base === undefined ? [] : replayNote(base, archive.last ?? now, file)),
      ],
    };
  }
  const { time } = point;
  refuseOutside(time, archive, now);
  const base = completed.find(({ endedAt }) => endedAt !== undefined && endedAt <= time);
  return {
    target: { targetTime: time.toISOString() },
    what: `the state of ${time.toISOString()}`,
    notes: [
      ...unseen,
      lostSince(time, now),
      ...(base === undefined ? [] : replayNote(base, time, file)),
      ...(archive.last !== undefined && time > archive.last
        ? [
            `whether the log is archived beyond ${archive.last.toISOString()} is not known: if it is not, the restore fails, and --to latest takes what there is`,
          ]
        : []),
    ],
  };
}

function refuseOutside(time: Date, archive: Archive, now: Date): void {
  const { first, last, archiving } = archive;
  const asked = time.toISOString();
  if (time > now) {
    throw new UsageFailure(
      `${asked} is in the future`,
      "name a time that has passed, or --to latest for all that is archived",
    );
  }
  if (first !== undefined && time < first) {
    throw new UsageFailure(
      `${asked} is before the first point that can be restored, ${first.toISOString()}, the end of the oldest base backup`,
      "name a later time; the folder of an older generation stays in the store, but only the one that Temporal uses is restored",
    );
  }
  if (last !== undefined && time > last && archiving.state === "works") {
    throw new UsageFailure(
      `the log until ${asked} may not be archived yet; certain is ${last.toISOString()}`,
      "wait for postgres.backup.archiveTimeoutSeconds, name an earlier time, or --to latest",
    );
  }
}

function backupTarget(name: string, { backups, clusterName, exists }: Archive, now: Date): Target {
  const index = backups.findIndex((backup) => backup.name === name || backup.id === name);
  const found = backups[index];
  if (found === undefined) {
    if (!exists && /^\d{8}T\d{6}$/.test(name)) {
      return {
        target: { backupId: name },
        what: `base backup ${name}`,
        notes: [
          "the cluster knows of no such backup any more: whether the store has it shows only in the restore",
        ],
      };
    }
    throw new UsageFailure(
      `Cluster ${clusterName} has no base backup ${name}`,
      backups.length === 0
        ? "give the id that it has in the store, such as 20261128T020000"
        : `name one of: ${backups.map((backup) => backup.name).join(", ")}`,
    );
  }
  if (found.state !== "completed" || found.id === undefined || found.endedAt === undefined) {
    const older = olderThan(backups, index);
    throw new UsageFailure(
      found.state === "failed"
        ? `base backup ${found.name} failed and cannot be restored: ${found.error ?? "no reason is given"}`
        : `base backup ${found.name} is not complete`,
      older === undefined
        ? `no older one is complete; take another (${BACKUP_PAGE})`
        : `take the next older one: --backup ${older.name}`,
    );
  }
  return {
    target: { backupId: found.id },
    what: `base backup ${found.name}, of ${found.endedAt.toISOString()}`,
    notes: [lostSince(found.endedAt, now)],
  };
}

/** The newest completed one behind it, which may have no end and stand last. */
function olderThan(backups: readonly BaseBackup[], index: number): BaseBackup | undefined {
  const end = backups[index]?.endedAt;
  return backups.find(
    ({ state, endedAt }, at) =>
      at !== index &&
      state === "completed" &&
      (end === undefined || (endedAt !== undefined && endedAt < end)),
  );
}

const lostSince = (time: Date, now: Date): string =>
  `lost: what was written from ${time.toISOString()} on, ${lengthOf(now.getTime() - time.getTime())}; list those workflows before Temporal moves`;

function replayNote(
  { name, endedAt = new Date(0) }: BaseBackup,
  until: Date,
  file: FileGenerations,
): string[] {
  const span = Math.max(until.getTime() - endedAt.getTime(), 0);
  const segments = Math.ceil(span / 1_000 / (file.backup?.archiveTimeoutSeconds ?? 300));
  return [
    `from base backup ${name} and ${lengthOf(span)} of log: at least ${segments} segments, about ${lengthOf(segments * SECONDS_PER_SEGMENT * 1_000)} beside the copy of the base`,
  ];
}

/** `2 d 3 h`, `1 h 5 min`, `12 min`: as much as anybody reads. */
function lengthOf(milliseconds: number): string {
  const minutes = Math.max(Math.ceil(milliseconds / 60_000), 1);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** What the file says already has to be deployed. */
function deployment(facts: RestoreFacts, serving: number): RestoreStep {
  const { file, deployed, newest } = facts;
  if (file.generation > deployed.generation && newest === "failed") throw halfMade(facts);
  const moves = serving !== deployed.serving;
  return {
    name: "deploy",
    title: moves
      ? `deploy what the stack file says: Temporal moves to generation ${serving}`
      : `deploy what the stack file says: generation ${file.generation} beside generation ${serving}`,
    // Also after the pods have come back meanwhile.
    stops: moves,
    changes: [],
    deploys: true,
    notes: moves ? [LATE_COMPLETIONS] : newest === "filling" ? ["its Cluster is being filled"] : [],
  };
}

/** CloudNativePG tries the same backup again, without end; what it leaves behind would be taken for the new try's. */
function halfMade({ file, newest }: RestoreFacts): Failure {
  const cluster = clusterNameOf(file, file.generation);
  return new Failure(
    newest === "failed"
      ? `the recovery of Cluster ${cluster} failed`
      : `Cluster ${cluster} is being made of another point`,
    `see why (kubectl logs job/${cluster}-1-full-recovery), delete it (kubectl delete cluster ${cluster}; its volumes go with it), run pulumi refresh, then this command with another --to or an older --backup`,
  );
}

function switched({ file, newest }: RestoreFacts): RestoreStep {
  const former = file.serving ?? file.generation;
  if (newest !== "ready") {
    throw new Failure(
      `Cluster ${clusterNameOf(file, file.generation)} is not ready`,
      "see kubectl describe cluster; run the command again when it is",
    );
  }
  return {
    name: "switch",
    title: `move Temporal from generation ${former} to generation ${file.generation}`,
    verifies: file.generation,
    stops: true,
    changes: [{ path: ["postgres", "serving"], new: file.generation }],
    deploys: true,
    notes: [
      `generation ${former} sleeps from then on, with its volumes, as the way back (--back)`,
      `what generation ${former} has and generation ${file.generation} has not is lost to Temporal`,
      LATE_COMPLETIONS,
    ],
  };
}

function wentBack({ file, deployed, stopped }: RestoreFacts): RestoreStep {
  const { restore, generation } = file;
  if (restore?.keepFormer !== true) {
    throw new UsageFailure(
      restore === undefined
        ? "there was no restore to go back from"
        : `generation ${restore.fromGeneration} was released, and nobody can go back to it`,
      "restore to another point instead: --to TIME",
    );
  }
  const { fromGeneration } = restore;
  if (deployed.serving === fromGeneration && (file.serving ?? generation) === fromGeneration) {
    if (stopped.length > 0) return started(stopped);
    throw new UsageFailure(
      `Temporal uses generation ${fromGeneration} already`,
      "nothing is to be done; without --back the command moves Temporal on",
    );
  }
  return {
    name: "back",
    title: `move Temporal back from generation ${generation} to generation ${fromGeneration}`,
    stops: true,
    changes: [{ path: ["postgres", "serving"], new: fromGeneration }],
    deploys: true,
    notes: [
      `what was written to generation ${generation} is not in generation ${fromGeneration}`,
      LATE_COMPLETIONS,
    ],
  };
}

function released({ file, deployed }: RestoreFacts, pending: boolean): RestoreStep | undefined {
  const { restore, generation } = file;
  if (restore?.keepFormer !== true) return undefined;
  if (pending || deployed.serving !== generation) {
    throw new UsageFailure(
      `Temporal uses generation ${deployed.serving}, not the restored ${generation}`,
      "carry the restore on first: run the command without --release",
    );
  }
  const former = clusterNameOf(file, restore.fromGeneration);
  return {
    name: "release",
    title: `release generation ${restore.fromGeneration}: nobody goes back to it`,
    stops: false,
    changes: [{ path: ["postgres", "restore", "keepFormer"], new: false }],
    deploys: true,
    notes: [
      `Cluster ${former} and its volumes stay in Kubernetes, hibernated, and its folder in the store: delete them by hand`,
    ],
  };
}
