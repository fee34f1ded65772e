import { z } from "zod";
import { exportedStack } from "../../common/exportedStack";
import { Failure } from "../../common/failure";
import { pulumi, type StackCli } from "../../common/pulumi";
import { noStackFile } from "../../common/stackFiles";
import { sourceOf } from "../../components/guards/payloadKeysGuard";
import { keyFrom } from "../../components/manifests/payloadKeysManifests";
import { KEY_BYTES, KEYRING_SECRET, type PayloadKey } from "../../settings/payloadKeys";
import { parseSettings, type Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { currentConfig } from "../stack/config";
import { kubeConfigOf } from "../stack/kubeConfig";
import { stackNameOf, withCopies } from "../stack/workspace";

const keySchema = z.object({
  id: z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/),
  value: z.base64().refine((text) => Buffer.from(text, "base64").length === KEY_BYTES),
  /** Whether pods have it no more. */
  retired: z.boolean(),
});
/** What an export holds, encrypted. */
export const exportSchema = z.object({
  format: z.literal("temporal-stack/payload-keys"),
  version: z.literal(1),
  stack: z.string(),
  keys: z.array(keySchema).min(1),
});
/** A payload key in the clear: it goes from here into an encrypted file or to the CLI's standard input. */
export type ExportedKey = z.output<typeof keySchema>;

/** An export before it is encrypted. */
export type KeyExport = z.output<typeof exportSchema> & {
  /** For people: which keys are not in it, and why. */
  readonly leftOut: readonly string[];
};

/** Payload keys of a stack file: encrypted values are known only if the stack's CLI was asked for them. */
export type KeySettings = Pick<Settings["payloadEncryption"], "keys" | "retiredKeys" | "activeKey">;

/**
 * The payload keys of a stack file.
 *
 * @throws UsageFailure when there is no such file
 */
function settingsOf(
  { stack }: StackCli,
  folder: string,
  config?: Readonly<Record<string, string>>,
): Settings {
  const source = sourceOfStackFile(folder, stackNameOf(stack)) ?? noStackFile(stackNameOf(stack), folder);
  return parseSettings({ ...source, config: { ...source.config, ...config } });
}

/**
 * The payload keys of a stack file, those among them that are encrypted opened.
 *
 * @throws UsageFailure when there is no such file or stack; Failure when the passphrase is wrong
 */
export async function openedKeys(cli: StackCli, folder: string): Promise<KeySettings> {
  settingsOf(cli, folder);
  const opened = await currentConfig(cli, { cwd: folder });
  const config = Object.entries(opened).flatMap(([key, { value }]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return settingsOf(cli, folder, Object.fromEntries(config)).payloadEncryption;
}

/** Base64 of a brought key that was opened. */
export const valueOf = ({ value }: PayloadKey): string | undefined => value?.ask((text) => text);

const seed = z.object({ result: z.object({ plaintext: z.string() }) });
const GENERATED = /PayloadKeyring\$random:[^:]*:?[^:]*::payload-keyring-([a-z0-9-]+)$/;

async function exportedState(cli: StackCli, folder: string, args: readonly string[]) {
  const exported: unknown = await withCopies(
    cli.stack,
    async (cwd) => JSON.parse(await pulumi(cli, ["stack", "export", ...args], { cwd })) as unknown,
    folder,
  );
  return exportedStack(exported).resources;
}

/**
 * The keys that a stack generated, by id.
 *
 * @throws Failure as {@link pulumi}
 */
export async function generatedKeys(cli: StackCli, folder: string): Promise<Map<string, string>> {
  const resources = await exportedState(cli, folder, ["--show-secrets"]);
  return new Map(
    resources.flatMap(({ urn, outputs }) => {
      const [, id] = GENERATED.exec(urn) ?? [];
      const found = seed.safeParse(outputs).data;
      if (id === undefined || found === undefined) return [];
      return [[id, keyFrom(z.string().parse(JSON.parse(found.result.plaintext)))] as const];
    }),
  );
}

/**
 * All keys of a stack, from its state and its settings.
 *
 * @throws UsageFailure when there is no such stack; Failure when a key was not generated yet, or when the passphrase is
 *   wrong
 */
export async function exportedKeys(cli: StackCli, folder: string): Promise<KeyExport> {
  const { keys, retiredKeys } = await openedKeys(cli, folder);
  const generated = await generatedKeys(cli, folder);
  const all = [
    ...keys.map((key) => ({ ...key, retired: false })),
    ...retiredKeys.map((key) => ({ ...key, retired: true })),
  ];
  const orphans = [...generated.keys()].filter((id) => all.every((key) => key.id !== id));
  const missing = all.filter((key) => sourceOf(key) === "generated" && !generated.has(key.id));
  if (missing.length > 0) {
    throw new Failure(
      `stack ${cli.stack} has not generated ${missing.map(({ id }) => id).join(", ")} yet`,
      "deploy it first; if its state is lost: npm run keys -- export --from-cluster, or import an earlier export",
    );
  }
  return exportOf(
    cli,
    [...all, ...orphans.map((id) => ({ id, retired: true }))].flatMap((key) => {
      const value = valueOf(key) ?? generated.get(key.id);
      return value === undefined ? [] : [{ id: key.id, value, retired: key.retired }];
    }),
    all.flatMap(({ id, existing }) =>
      existing === undefined
        ? []
        : [
            `key ${id} is not in the export: it comes from Secret ${existing.secret}, which this stack does not make`,
          ],
    ),
  );
}

/**
 * The keys that a stack's workers have, from the Secret in its cluster: for a stack whose state is lost.
 *
 * @throws Failure when there is no such Secret; UsageFailure when there is no kubeconfig
 */
export async function keysInCluster(cli: StackCli, folder: string): Promise<KeyExport> {
  const { kubernetes, namespaces } = settingsOf(cli, folder);
  const config = await kubeConfigOf(cli, kubernetes.context);
  const client = await import("@kubernetes/client-node");
  const namespace = namespaces.workers;
  const keys = await config
    .makeApiClient(client.CoreV1Api)
    .readNamespacedSecret({ name: KEYRING_SECRET, namespace })
    .then(
      ({ data }) =>
        Object.entries(data ?? {}).map(([id, value]) => ({
          id,
          value: Buffer.from(value, "base64").toString("utf8"),
          retired: false,
        })),
      (error: unknown) => {
        throw new Failure(
          `Secret ${KEYRING_SECRET} in namespace ${namespace} cannot be read`,
          "name the stack's cluster with KUBECONFIG, and see that you may read the Secret",
          [error instanceof client.ApiException ? `HTTP ${error.code}` : String(error)],
        );
      },
    );
  return exportOf(cli, keys, ["retired keys are in no cluster: they are not in the export"]);
}

function exportOf({ stack }: StackCli, keys: readonly ExportedKey[], leftOut: readonly string[]): KeyExport {
  if (keys.length === 0) {
    throw new Failure(
      `there is nothing to export: stack ${stack} keeps no key itself`,
      "back up the Secrets that its settings name",
      leftOut,
    );
  }
  return {
    format: "temporal-stack/payload-keys",
    version: 1,
    stack: stackNameOf(stack),
    keys: [...keys],
    leftOut,
  };
}

const SOURCES = { generated: "generated", settings: "stack file", secret: "Secret" } as const;

/**
 * The keys of a stack for people: id, where each comes from, what it is used for.
 *
 * @throws UsageFailure when there is no such stack or stack file
 */
export async function keyTable(cli: StackCli, folder: string): Promise<string> {
  const { payloadEncryption } = settingsOf(cli, folder);
  const { enabled, keys, retiredKeys, activeKey } = payloadEncryption;
  if (!enabled) return `stack ${cli.stack} does not encrypt payloads (payloadEncryption.enabled: false)`;
  const resources = await exportedState(cli, folder, []);
  const generated = resources.flatMap(({ urn }) => GENERATED.exec(urn)?.slice(1) ?? []);
  const row = (key: PayloadKey, use: string): string[] => {
    const source = sourceOf(key);
    const place = key.existing === undefined ? "" : ` ${key.existing.secret}, ${key.existing.key}`;
    const pending = source === "generated" && !generated.includes(key.id) ? " by the next update" : "";
    return [key.id, `${SOURCES[source]}${place}${pending}`, use];
  };
  const rows = [
    ...keys.map((key) => row(key, key.id === activeKey ? "active: encrypts" : "decrypts")),
    ...retiredKeys.map((key) => row(key, "retired")),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
