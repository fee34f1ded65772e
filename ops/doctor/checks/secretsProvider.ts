import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../../common/failure";
import { checkout } from "../../../common/paths";
import type { StackCli } from "../../../common/pulumi";
import { UsageFailure } from "../../../common/usageFailure";
import { parseAsEngine } from "../../../settings/engineYaml";
import { currentConfig } from "../../stack/config";
import { stackFileOf } from "../../stack/workspace";
import type { Check } from "../check";
import { reasonOf } from "../clusterReader";
import { type Finding, failed, ok, warning } from "../finding";

const stackFile = z.object({ secretsprovider: z.string().optional(), encryptionsalt: z.string().optional() });

/** What opens the stack's secrets, and whether it does. */
export interface SecretsAccess {
  /** As the stack's file has it; undefined: it does not say. */
  readonly provider: string | undefined;
  readonly opened: "yes" | "no stack" | { readonly problem: string; readonly remedy: string };
  readonly passphrase: "set" | "empty" | "none";
  /** Whether the backend keeps the keys itself where the file names no provider. */
  readonly service: boolean;
}

/** The stack's secrets open with what this shell has. */
export const secretsProvider: Check = {
  name: "secrets-provider",
  about: "provider that encrypts the stack's secrets",
  examine: async ({ cli, settings }) =>
    secretsFindings(cli.stack, await accessOf(cli), settings.deletionProtection),
};

async function accessOf(cli: StackCli): Promise<SecretsAccess> {
  const name = stackFileOf(cli.stack);
  const path = join(checkout, name);
  const file = stackFile.parse(
    existsSync(path) ? (parseAsEngine(readFileSync(path, "utf8"), name) ?? {}) : {},
  );
  const salted = file.encryptionsalt === undefined ? undefined : "passphrase";
  return {
    provider: file.secretsprovider ?? salted,
    opened: await opened(cli),
    passphrase: passphraseOf({ ...process.env, ...cli.environment }),
    service: (cli.environment["PULUMI_BACKEND_URL"] ?? process.env["PULUMI_BACKEND_URL"] ?? "").startsWith(
      "https:",
    ),
  };
}

async function opened(cli: StackCli): Promise<SecretsAccess["opened"]> {
  try {
    await currentConfig(cli);
    return "yes";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error instanceof UsageFailure && error.message.startsWith("there is no stack")) return "no stack";
    return { problem: reasonOf(error), remedy: error.remedy };
  }
}

function passphraseOf(
  environment: Readonly<Record<string, string | undefined>>,
): SecretsAccess["passphrase"] {
  const { PULUMI_CONFIG_PASSPHRASE: text, PULUMI_CONFIG_PASSPHRASE_FILE: file = "" } = environment;
  if (text === undefined && file === "") return "none";
  return text === "" && file === "" ? "empty" : "set";
}

/** @param keeps whether what the stack holds must survive mistakes: `deletionProtection` */
export function secretsFindings(
  stack: string,
  { provider, opened: access, passphrase, service }: SecretsAccess,
  keeps: boolean,
): Finding[] {
  const kind = provider?.replace(/:.*$/, "");
  const byPassphrase = kind === "passphrase" || (kind === undefined && !service);
  const name = byPassphrase ? "a passphrase" : (kind ?? "the backend");
  return [
    ...(access === "yes"
      ? [ok(`secrets of the stack open with ${name}`)]
      : access === "no stack"
        ? [
            warning(
              `there is no stack ${stack} on this backend yet`,
              `pulumi stack init ${stack}, with --secrets-provider where a key service keeps the key`,
            ),
          ]
        : [failed(access.problem, access.remedy)]),
    ...(byPassphrase && access === "no stack" && passphrase === "none"
      ? [
          failed(
            "no passphrase is set, and without a key service one encrypts the stack's secrets",
            "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or name a key service at pulumi stack init",
          ),
        ]
      : []),
    ...(byPassphrase && keeps && passphrase === "empty"
      ? [
          warning(
            "the passphrase is empty: whoever reads the state reads its secrets",
            "pulumi stack change-secrets-provider, to a key service or a passphrase",
          ),
        ]
      : []),
  ];
}
