import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseSettings, type Settings } from "../../../settings/settings";
import { sourceOfStackFile } from "../../../settings/stackFile";
import { primary } from "../../support/faults";
import { machineSettingsFile } from "../../../common/localStack";
import { twoCores } from "../../support/twoCores";
import { type Section, sectionSchema, StackFile } from "../stackFile";
import { z } from "zod";
import { checkout, kubectl, repository, succeed } from "../support";

/** The real stack file of production, in the copied checkout. */
export const prod = new StackFile(repository, checkout, "prod");

prod.layOver(twoCores);

/** Lays settings over those of the Temporal namespace in the copied stack file. */
export function changeNamespace(settings: Section): void {
  prod.change("temporal", (temporal) => {
    const { namespaces, ...others } = z.looseObject({ namespaces: z.tuple([sectionSchema]) }).parse(temporal);
    return { ...others, namespaces: [{ ...namespaces[0], ...settings }] };
  });
}

/** The settings of the deployed stack: the copied stack file, and what this machine lays over it. */
export function deployedSettings(): Settings {
  const source = sourceOfStackFile(checkout, "prod");
  assert.ok(source);
  const overlay = { file: machineSettingsFile, text: readFileSync(machineSettingsFile, "utf8") };
  return parseSettings({ ...source, overlay });
}

/** Namespaces of the stack. */
export const NAMESPACES = ["temporal", "temporal-workers", "cnpg-system"];

/** Runs a command in a container of a pod, as `kubectl exec`. */
export const inPod = (namespace: string, pod: string, ...command: string[]): Promise<string> =>
  kubectl("exec", "--namespace", namespace, pod, "--", ...command);

/**
 * Runs the Temporal CLI in the admin tools' pod. It waits 5 s for a server, which is not always enough on two cores:
 * then it is run once more.
 */
export async function temporalCli(...args: string[]): Promise<string> {
  const run = (): Promise<string> =>
    inPod(
      "temporal",
      "deployment/temporal-admintools",
      ...["temporal", "--address", "temporal-frontend:7233", "--namespace", "prod", ...args],
    );
  return run().catch((error: unknown) => {
    if (String(error).includes("failed reaching server")) return run();
    throw error;
  });
}

/** Runs SQL on the primary, as its superuser. */
export async function sql(statement: string, database = "temporal"): Promise<string> {
  return inPod("temporal", await primary(), "psql", "-At", "-d", database, "-c", statement);
}

/** Brings the stack up as somebody who may do no more than that. */
export const upCommand = ["npm", "run", "up", "--", "--stack", "prod", "--deployer"];

/** Runs that command, which has to succeed. */
export const up = (): Promise<string> => succeed(upCommand);
