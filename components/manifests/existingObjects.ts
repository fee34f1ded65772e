import type { BackupSettings } from "../../settings/backups";
import type { AuthoritiesFrom } from "../../settings/certificates";
import type { ManagedPostgresSettings, Settings } from "../../settings/settings";
import { existingCredentials } from "./temporalCredentialsManifests";

/** An object that others made and that a setting names. */
export interface ExistingObject {
  /** Key of the setting below `temporal-stack:`. */
  readonly setting: string;
  readonly kind: "Secret" | "ConfigMap" | "ServiceAccount";
  readonly name: string;
  /** Key that it must have; undefined: any. */
  readonly key?: string | undefined;
}

/**
 * What the pods of a worker group need to be there: its account, its own Secrets, those that they connect to Temporal with, and
 * those with payload keys.
 */
export function neededByWorkers(
  { temporal, workers, payloadEncryption }: Pick<Settings, "temporal" | "workers" | "payloadEncryption">,
  group: string,
): ExistingObject[] {
  const {
    serviceAccount: { existing: account } = {},
    secrets = [],
    envFrom = [],
    payloadEncryption: encrypts = false,
  } = workers.find(({ name }) => name === group) ?? {};
  // By name: a group may stand in a file of its own, where no list counts it.
  const place = (list: string, item: number) => `workers[${group}].${list}[${item}]`;
  return [
    ...(account === undefined
      ? []
      : [
          {
            setting: `workers[${group}].serviceAccount.existing`,
            kind: "ServiceAccount" as const,
            name: account,
          },
        ]),
    ...secrets.flatMap(({ secret, key }, item): ExistingObject[] =>
      secret === undefined ? [] : [{ setting: place("secrets", item), kind: "Secret", name: secret, key }],
    ),
    ...envFrom.map(({ secret, configMap = "" }, item): ExistingObject => {
      const setting = place("envFrom", item);
      return secret === undefined
        ? { setting, kind: "ConfigMap", name: configMap }
        : { setting, kind: "Secret", name: secret };
    }),
    ...existingCredentials(temporal).map(({ setting, name, key, kind }): ExistingObject => ({
      setting,
      kind: kind === "configMap" ? "ConfigMap" : "Secret",
      name,
      key,
    })),
    ...(encrypts && payloadEncryption.enabled ? payloadEncryption.keys : []).flatMap(
      ({ existing }, item): ExistingObject[] =>
        existing === undefined
          ? []
          : [
              {
                setting: `payloadEncryption.keys[${item}]`,
                kind: "Secret",
                name: existing.secret,
                key: existing.key,
              },
            ],
    ),
  ];
}

/** What the pods that log in to a Postgres service need to be there. */
export function neededByPostgresService(service: ManagedPostgresSettings): ExistingObject[] {
  const { passwordSecret, clientCertificateSecret: client, caFrom } = service;
  const secret = (setting: string, name: string, key: string) => ({
    setting: `postgres.${setting}`,
    kind: "Secret" as const,
    name,
    key,
  });
  return [
    ...(passwordSecret === undefined
      ? []
      : [secret("passwordSecret", passwordSecret.name, passwordSecret.key)]),
    ...(client === undefined
      ? []
      : [
          secret("clientCertificateSecret", client.name, client.certificateKey),
          secret("clientCertificateSecret", client.name, client.privateKeyKey),
        ]),
    ...(caFrom === undefined ? [] : [authorities(caFrom)]),
  ];
}

/** What the archive of a Postgres cluster needs to be there. */
export function neededByBackups({ store }: BackupSettings): ExistingObject[] {
  const secret = (setting: string, name: string, keys: readonly (string | undefined)[]) =>
    keys.flatMap((key): ExistingObject[] =>
      key === undefined ? [] : [{ setting: `postgres.backup.store.${setting}`, kind: "Secret", name, key }],
    );
  switch (store.type) {
    case "s3": {
      const { caSecret, credentials } = store;
      const from = credentials.secret;
      return [
        ...(caSecret === undefined ? [] : secret("caSecret", caSecret.name, [caSecret.key])),
        ...(from === undefined
          ? []
          : secret("credentials.secret", from.name, [
              from.accessKeyIdKey,
              from.secretAccessKeyKey,
              from.sessionTokenKey,
              from.regionKey,
            ])),
      ];
    }
    case "gcs": {
      const from = store.credentials.secret;
      return from === undefined
        ? []
        : secret("credentials.secret", from.name, [from.applicationCredentialsKey]);
    }
    case "azure": {
      const from = store.credentials.secret;
      return from === undefined
        ? []
        : secret("credentials.secret", from.name, [
            from.storageAccountKey,
            from.storageKeyKey,
            from.storageSasTokenKey,
          ]);
    }
  }
}

function authorities({ secret, configMap = "", key }: AuthoritiesFrom): ExistingObject {
  const setting = "postgres.caFrom";
  return secret === undefined
    ? { setting, kind: "ConfigMap", name: configMap, key }
    : { setting, kind: "Secret", name: secret, key };
}
