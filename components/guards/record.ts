import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Settings } from "../../settings/settings";
import {
  backupProblems,
  clusterProblems,
  deployedPostgres,
  placeProblems,
  upgradeProblems,
  wantedPostgres,
} from "./postgresGuard";
import type { OwnOutputs } from "./ownOutputs";
import { refusal } from "./sentence";
import { deployedNamespaces, recordedNamespaces, temporalNamespaceProblems } from "./temporalNamespacesGuard";
import { deployedServer, serverProblems, wantedServer } from "./temporalServerGuard";

/** The form of the output `deployed`. */
export const deployedRecord = z.object({
  server: deployedServer.nullable(),
  postgres: deployedPostgres.nullable(),
  namespaces: deployedNamespaces,
});
/** What a stack remembers about itself as its output `deployed`. */
export type DeployedRecord = z.output<typeof deployedRecord>;

/** What a stack knows of the last update that succeeded. */
export interface Succeeded {
  /** Its record; undefined if there was none, or one of another form. */
  readonly record: DeployedRecord | undefined;
  /** Whether there was one. */
  readonly ever: boolean;
}

/** Reads what the last update that succeeded left. */
export async function lastSuccess(own: OwnOutputs): Promise<Succeeded> {
  const record = deployedRecord.safeParse(await own("deployed")).data;
  // Every version of this program leaves an address.
  return { record, ever: record !== undefined || (await own("temporalAddress")) !== undefined };
}

/** The record that an update leaves when it has succeeded. */
export function recordOf(settings: Settings): DeployedRecord {
  const { temporal } = settings;
  return {
    server: temporal.mode === "chart" ? wantedServer(temporal) : null,
    postgres: wantedPostgres(settings) ?? null,
    namespaces: temporal.mode === "chart" ? recordedNamespaces(temporal) : [],
  };
}

/** What is wrong with going from the recorded stack to the settings. */
export function changeProblems(deployed: DeployedRecord, settings: Settings): string[] {
  const { temporal, postgres, deletionProtection } = settings;
  // The settings say which retention may be shortened; a record does not.
  const namespaces = temporal.mode === "chart" ? temporal.namespaces : undefined;
  const problems = recordProblems(deployed, { ...recordOf(settings), namespaces }, !deletionProtection);
  const here = deployed.postgres?.place === wantedPostgres(settings)?.place;
  if (!here || deployed.postgres === null || postgres?.mode !== "cluster") return problems;
  const wanted = wantedPostgres(settings);
  return [
    ...problems,
    ...upgradeProblems(deployed.postgres.tag, postgres.image),
    ...(wanted === undefined || !deletionProtection
      ? []
      : backupProblems(deployed.postgres, wanted, postgres.backup ?? {})),
  ];
}

/** What a stack is to become; `namespaces` undefined: its server has none that are kept here. */
type Wanted = Pick<DeployedRecord, "server" | "postgres"> & {
  readonly namespaces: Parameters<typeof temporalNamespaceProblems>[1] | undefined;
};

/**
 * What is wrong with going from one recorded stack to another.
 * @param disposable whether the stack may be thrown away, data included
 */
export function recordProblems(deployed: DeployedRecord, wanted: Wanted, disposable: boolean): string[] {
  if (deployed.postgres !== null) {
    const moved = placeProblems(deployed.postgres, wanted.postgres ?? undefined, disposable);
    // Another place is another, empty database: nothing of the old one binds it.
    if (moved.length > 0 || wanted.postgres?.place !== deployed.postgres.place) return moved;
  }
  return [
    ...(deployed.postgres === null || wanted.postgres === null
      ? []
      : clusterProblems(deployed.postgres, wanted.postgres)),
    ...(deployed.server === null || wanted.server === null
      ? []
      : serverProblems(deployed.server, wanted.server)),
    ...(wanted.namespaces === undefined
      ? []
      : temporalNamespaceProblems(deployed.namespaces, wanted.namespaces)),
  ];
}

/**
 * Compares the settings with the record of the last update that succeeded, before anything is touched. A
 * record can be stale after a failed update; the guards of the resources themselves cannot.
 * @returns resolves if the change is possible
 * @throws pulumi.RunError (by rejection) with all problems
 */
export async function refuseForbiddenChanges(
  settings: Settings,
  succeeded: Promise<Succeeded>,
): Promise<void> {
  // An older version of this program left no record, or one of another form: the resources' guards remain.
  const { record } = await succeeded;
  const message = record === undefined ? undefined : refusal(changeProblems(record, settings));
  if (message !== undefined) throw new pulumi.RunError(`${message}\nNothing was changed.`);
}
