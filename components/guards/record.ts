import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Settings } from "../settings";
import { clusterProblems, deployedPostgres, placeProblems, wantedPostgres } from "./postgres";
import { refusal } from "./refusal";
import { deployedNamespaces, recordedNamespaces, temporalNamespaceProblems } from "./temporalNamespaces";
import { deployedServer, serverProblems, wantedServer } from "./temporalServer";

const record = z.object({
  server: deployedServer.nullable(),
  postgres: deployedPostgres.nullable(),
  namespaces: deployedNamespaces,
});
/** What a stack remembers about itself as its output `deployed`. */
export type DeployedRecord = z.output<typeof record>;

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
  const { temporal, deletionProtection } = settings;
  const wanted = wantedPostgres(settings);
  if (deployed.postgres !== null) {
    const moved = placeProblems(deployed.postgres, wanted, !deletionProtection);
    // Another place is another, empty database: nothing of the old one binds it.
    if (moved.length > 0 || wanted?.place !== deployed.postgres.place) return moved;
  }
  return [
    ...(deployed.postgres === null || wanted === undefined ? [] : clusterProblems(deployed.postgres, wanted)),
    ...(deployed.server === null || temporal.mode !== "chart"
      ? []
      : serverProblems(deployed.server, wantedServer(temporal))),
    ...(temporal.mode === "chart" ? temporalNamespaceProblems(deployed.namespaces, temporal.namespaces) : []),
  ];
}

/**
 * Compares the settings with the record of the last update that succeeded, before anything is touched: the
 * stack reads its own output, which needs neither the cluster nor Pulumi Cloud. A record can be stale after
 * a failed update; the guards of the resources themselves cannot.
 * @returns resolves if the change is possible
 * @throws pulumi.RunError (by rejection) with all problems
 */
export async function refuseForbiddenChanges(settings: Settings): Promise<void> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const self = new pulumi.StackReference("self", { name });
  const output = await self.getOutputDetails("deployed");
  // An older version of this program left no record, or one of another form: the resources' guards remain.
  const deployed = record.safeParse(output.value);
  const message = deployed.success ? refusal(changeProblems(deployed.data, settings)) : undefined;
  if (message !== undefined) throw new pulumi.RunError(`${message}\nNothing was changed.`);
}
