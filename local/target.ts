import { readFileSync } from "node:fs";
import { z } from "zod";
import { Failure } from "../common/failure";
import { stackFile } from "../common/localStack";
import { configOf as configOfText, parseAsEngine } from "../settings/engineYaml";
import { isMapping, PROJECT } from "../settings/mapping";

/** The stack that `npm run up` deploys unless told otherwise. */
export const DEFAULT_STACK = "local";

const stackFileSchema = z.object({
  encryptionsalt: z.string().optional(),
  secretsprovider: z.string().optional(),
});

const configOf = (stack: string) =>
  configOfText(readFileSync(stackFile(stack), "utf8"), PROJECT, `Pulumi.${stack}.yaml`);

/** Whether a stack's Temporal server comes from the official chart, with Postgres beside it. */
export function usesCharts(stack: string): boolean {
  const { [`${PROJECT}:temporal`]: temporal } = configOf(stack);
  return isMapping(temporal) && temporal["mode"] === "chart";
}

/** Whether a deployment builds the worker's image, rather than to take the one whose digest is set. */
export function buildsImage(stack: string): boolean {
  const { [`${PROJECT}:workerImage`]: image } = configOf(stack);
  return !(isMapping(image) && image["digest"] !== undefined);
}

/**
 * Makes sure that a passphrase of this machine's own can open the stack's secrets.
 *
 * @param ownSalt the salt that this machine's backend keeps for the stack, if it has the stack
 * @throws Failure when the stack's file has secrets that are encrypted for somebody else
 */
export function requireOwnSecrets(stack: string, ownSalt: string | undefined): void {
  const { encryptionsalt, secretsprovider } = stackFileSchema.parse(
    parseAsEngine(readFileSync(stackFile(stack), "utf8"), `Pulumi.${stack}.yaml`),
  );
  if (secretsprovider === undefined && (encryptionsalt === undefined || encryptionsalt === ownSalt)) return;
  throw new Failure(
    `Pulumi.${stack}.yaml holds secrets that only its own passphrase or key service opens: stack "${stack}" is deployed elsewhere`,
    `deploy it with pulumi up -s ${stack}, or copy the file without them under another name and deploy that`,
  );
}
