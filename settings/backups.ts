import { z } from "zod";
import { charts as pins, images as imagePins } from "./versions";
import { peerNetwork, portOfUrl, url } from "./addresses";
import { certificates } from "./certificates";
import { chartVersion } from "./charts";
import { flag, integer, oneOf, rule, text } from "./fields";
import { imagePin } from "./imagePin";
import { versionedImage } from "./images";
import { annotationMap, inYaml, objectName, secretKey } from "./names";
import { secretSetting } from "./secretSettings";
import { containerResources } from "./workers";

const secretValue = (what: string) =>
  secretSetting(text(`${what} without line breaks and control characters`, /^[^\p{C}]+$/u, 100_000))
    .optional()
    .describe(
      `${what[0]?.toUpperCase() ?? ""}${what.slice(1)}; only as a secret: \`pulumi config set --secret --path\`.`,
    );

const secretName = inYaml(objectName("the name of a Secret")).describe(
  "Secret that exists in the namespace of the Temporal server. A change of its content needs no restart.",
);
const keyIn = (what: string, fallback: string) =>
  inYaml(secretKey()).default(fallback).describe(`Key of ${what} in it.`);
const optionalKeyIn = (what: string) =>
  inYaml(secretKey()).optional().describe(`Key of ${what} in it, if it is there.`);

const workloadIdentity = (example: string) =>
  z
    .strictObject({
      annotations: annotationMap()
        .default({})
        .describe(`Annotations of the ServiceAccount of the instances, like ${example}.`),
    })
    .optional()
    .describe("Identity that the cloud gives the pods, instead of credentials.");

/** What is wrong where one of several ways is to be named. */
function onlyOneOf(ways: readonly string[], value: Readonly<Record<string, unknown>>) {
  const set = ways.filter((way) => value[way] !== undefined);
  if (set.length === 1) return [];
  const remedy = set.length === 0 ? "set one" : "remove the others";
  return [rule(`needs exactly one of ${ways.join(", ")}; ${remedy}`, [])];
}

const prefix = text(
  'a path of letters, digits, "-", "_", "." and "/", without "/" at its ends',
  /^[A-Za-z0-9_-][\w.-]*(\/[A-Za-z0-9_-][\w.-]*)*$/,
  200,
)
  .optional()
  .describe("Folder of this stack in it; the name of the stack by default. Two stacks never share one.");

const bucket = (what: string) =>
  text(
    `${what} of 3 to 63 lower-case letters, digits, "-", "_" and "."`,
    /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/,
    63,
  );

const s3 = z
  .strictObject({
    type: z.literal("s3").describe("Amazon S3, or a store that speaks its protocol."),
    bucket: bucket("a bucket").describe(
      "Bucket; it must exist, best in another account and region than the cluster: it outlives the stack.",
    ),
    prefix,
    endpoint: url("the store's address: https://..., without path", ["https"], /^https:\/\/[^/\s?#]+$/)
      .optional()
      .describe("Address of a store that is not Amazon's, over TLS."),
    ca: certificates("authorities")
      .optional()
      .describe("Certificate authorities of `endpoint`, PEM; the public ones by default."),
    caSecret: z
      .strictObject({ name: secretName, key: keyIn("the certificates, PEM,", "ca.crt") })
      .optional()
      .describe("Secret to take them from, instead of `ca`."),
    region: text("a region", /^[A-Za-z0-9-]+$/, 63)
      .optional()
      .describe("Region of the bucket, with `credentials.accessKeyId`; a Secret has `regionKey` for it."),
    credentials: z
      .strictObject({
        accessKeyId: secretValue("the id of an access key"),
        secretAccessKey: secretValue("its secret"),
        secret: z
          .strictObject({
            name: secretName,
            accessKeyIdKey: keyIn("the access key's id", "ACCESS_KEY_ID"),
            secretAccessKeyKey: keyIn("its secret", "SECRET_ACCESS_KEY"),
            sessionTokenKey: optionalKeyIn("a session token"),
            regionKey: optionalKeyIn("the region"),
          })
          .optional()
          .describe("Secret that holds the credentials already."),
        workloadIdentity: workloadIdentity("`eks.amazonaws.com/role-arn`"),
      })
      .check(({ value, issues }) => {
        issues.push(...onlyOneOf(["accessKeyId", "secret", "workloadIdentity"], value));
      })
      .check(({ value, issues }) => {
        if ((value.accessKeyId === undefined) !== (value.secretAccessKey === undefined)) {
          issues.push(rule("accessKeyId and secretAccessKey belong together; set both or neither", []));
        }
      }),
  })
  .check(({ value, issues }) => {
    if (value.region !== undefined && value.credentials.accessKeyId === undefined) {
      issues.push(
        rule(
          "reaches the store only with credentials.accessKeyId; set credentials.secret.regionKey, or nothing with workloadIdentity, which brings it",
          ["region"],
        ),
      );
    }
    if (value.ca !== undefined && value.caSecret !== undefined) {
      issues.push(rule("cannot be set together with ca; remove one of them", ["caSecret"]));
    }
    for (const name of ["ca", "caSecret"] as const) {
      if (value[name] !== undefined && value.endpoint === undefined) {
        issues.push(rule("verifies nothing without endpoint; remove it, or set endpoint", [name]));
      }
    }
  });

const gcs = z.strictObject({
  type: z.literal("gcs").describe("Google Cloud Storage."),
  bucket: bucket("a bucket").describe("Bucket; it must exist: it outlives the stack."),
  prefix,
  credentials: z
    .strictObject({
      applicationCredentials: secretSetting(
        z
          .string({ error: "the JSON of a service account's key" })
          .min(2, { error: "the JSON of a service account's key" }),
      )
        .optional()
        .describe("JSON of a service account's key; only as a secret: `pulumi config set --secret --path`."),
      secret: z
        .strictObject({ name: secretName, applicationCredentialsKey: keyIn("that JSON", "gcsCredentials") })
        .optional()
        .describe("Secret that holds the credentials already."),
      workloadIdentity: workloadIdentity("`iam.gke.io/gcp-service-account`"),
    })
    .check(({ value, issues }) => {
      issues.push(...onlyOneOf(["applicationCredentials", "secret", "workloadIdentity"], value));
    }),
});

const azure = z.strictObject({
  type: z.literal("azure").describe("Azure Blob Storage."),
  account: text(
    "a storage account of 3 to 24 lower-case letters and digits",
    /^[a-z0-9]{3,24}$/,
    24,
  ).describe("Storage account."),
  container: bucket("a container").describe("Container; it must exist: it outlives the stack."),
  prefix,
  credentials: z
    .strictObject({
      storageKey: secretValue("the key of the storage account"),
      storageSasToken: secretValue("a SAS token"),
      secret: z
        .strictObject({
          name: secretName,
          storageAccountKey: keyIn("the storage account", "AZURE_STORAGE_ACCOUNT"),
          storageKeyKey: optionalKeyIn("its key"),
          storageSasTokenKey: optionalKeyIn("a SAS token"),
        })
        .check(({ value, issues }) => {
          issues.push(...onlyOneOf(["storageKeyKey", "storageSasTokenKey"], value));
        })
        .optional()
        .describe("Secret that holds the credentials already."),
      workloadIdentity: workloadIdentity("`azure.workload.identity/client-id`"),
    })
    .check(({ value, issues }) => {
      issues.push(...onlyOneOf(["storageKey", "storageSasToken", "secret", "workloadIdentity"], value));
    }),
});

const CRON_FIELD = String.raw`[\d*/,-]+`;
/** Months and days of the week have names, too, which the operator reads. */
const cron = text(
  "a cron expression of five fields in UTC, such as 0 2 * * *",
  new RegExp(`^${CRON_FIELD} ${CRON_FIELD} ${CRON_FIELD} [\\w*/,-]+ [\\w*/,-]+$`),
  100,
);

const plugin = z
  .strictObject({
    install: flag()
      .default(true)
      .describe(
        "Whether this stack installs the plugin, beside the operator that it installs; false if the operator's namespace has one already. It needs cert-manager in the cluster.",
      ),
    chartVersion: chartVersion(pins.barmanPlugin.version, "the plugin's chart"),
    image: versionedPlugin("the plugin", imagePins.barmanPlugin).describe(
      "Image of the plugin. 0.15.0 cannot restore on a read-only root file system.",
    ),
    sidecarImage: versionedPlugin("the plugin's sidecar", imagePins.barmanPluginSidecar).describe(
      "Image of the sidecar in each Postgres pod, of the plugin's version.",
    ),
    resources: containerResources({ cpu: "50m", memory: "128Mi", memoryLimit: "256Mi" }),
  })
  .prefault({});

function versionedPlugin(what: string, pin: Parameters<typeof imagePin>[0]) {
  return versionedImage(`an image of ${what}`, "v").default(imagePin(pin));
}

/** Backups of a Postgres cluster. */
export const backup = z
  .strictObject({
    store: z.discriminatedUnion("type", [s3, gcs, azure]).describe("Where base backups and log are kept."),
    moveStoreFrom: text("the destination that is deployed, such as s3://bucket/prod", /^\S+$/, 1000)
      .optional()
      .describe(
        "Acknowledges that the store changes: the destination of before, where everything stays that was backed up until then.",
      ),
    compression: z
      .strictObject({
        wal: oneOf(["gzip", "bzip2", "lz4", "snappy", "xz", "zstd"])
          .default("gzip")
          .describe("Compression of the log: a forced segment of 16 MB is nearly empty."),
        data: oneOf(["gzip", "bzip2", "lz4", "snappy"])
          .default("lz4")
          .describe("Compression of base backups; encrypted payloads hardly shrink."),
      })
      .prefault({}),
    encryption: oneOf(["bucket", "AES256", "aws:kms"])
      .default("bucket")
      .describe("Encryption in the store: what the bucket does by itself, or, in S3, what is asked for."),
    retentionDays: integer("days", 7, 365)
      .default(30)
      .describe("Days back to which the database can be restored; what is older is deleted."),
    shortenRetentionToDays: integer("days", 7, 365)
      .optional()
      .describe("Acknowledges that backups are deleted because `retentionDays` became this number."),
    schedule: cron.default("0 2 * * *").describe("When base backups are taken, as a cron expression in UTC."),
    archiveTimeoutSeconds: integer("seconds", 60, 900)
      .default(300)
      .describe(
        "Most that a lost cluster loses, as the log is archived at least so often. Shorter costs longer restores: about a second a segment.",
      ),
    parallel: z
      .strictObject({
        wal: integer("segments at once", 1, 32)
          .default(4)
          .describe("Segments that are sent or fetched at once."),
        data: integer("uploads at once", 1, 32)
          .default(2)
          .describe("Parts of a base backup that are sent at once."),
      })
      .prefault({}),
    network: peerNetwork("the object store")
      .optional()
      .describe(
        "Where NetworkPolicies let the instances through; they know no host names. Every address by default, on the store's port.",
      ),
    sidecarResources: containerResources({ cpu: "100m", memory: "256Mi", memoryLimit: "1Gi" }),
    plugin,
  })
  .check(({ value, issues }) => {
    if (value.encryption !== "bucket" && value.store.type !== "s3") {
      issues.push(rule(`is of S3; ${value.store.type} encrypts by itself: set bucket`, ["encryption"]));
    }
  });

/** Annotation of a generation of Postgres that another one has replaced and that the stack keeps as the way back. */
export const FORMER_GENERATION = "temporal-stack/former-generation";

/** Settings of the backups of a Postgres cluster. */
export type BackupSettings = z.output<typeof backup>;
/** Where backups are kept. */
export type StoreSettings = BackupSettings["store"];

/** TCP port of the object store. */
export const storePort = (store: StoreSettings): number =>
  store.type === "s3" && store.endpoint !== undefined ? portOfUrl(store.endpoint) : 443;

/**
 * Where the stack's backups are, as barman names it.
 * @param stack whose name is the folder by default
 */
export function destinationOf(store: StoreSettings, stack: string): string {
  const folder = store.prefix ?? stack;
  switch (store.type) {
    case "s3":
      return `s3://${store.bucket}/${folder}`;
    case "gcs":
      return `gs://${store.bucket}/${folder}`;
    case "azure":
      return `https://${store.account}.blob.core.windows.net/${store.container}/${folder}`;
  }
}

/** How a generation of the cluster came to be that was restored. */
export const restore = z
  .strictObject({
    fromGeneration: integer("generation", 1, 999).describe("Generation whose backups it is made of."),
    targetTime: text(
      "a time with its zone, such as 2026-11-28T10:15:00Z",
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/,
      40,
    )
      .refine((value) => !Number.isNaN(Date.parse(value)), {
        error: "a time with its zone, such as 2026-11-28T10:15:00Z",
      })
      .optional()
      .describe("Point in time to restore; by default as late as the archive goes."),
    backupId: text("the id of a backup, such as 20261128T020000", /^\d{8}T\d{6}$/, 15)
      .optional()
      .describe("Base backup whose own state is restored, instead of `targetTime`."),
    keepFormer: flag()
      .default(true)
      .describe(
        "Whether the former generation stays part of the stack, hibernated with its volumes, as the way back; false once nobody goes back, or where it was lost.",
      ),
  })
  .check(({ value, issues }) => {
    if (value.targetTime !== undefined && value.backupId !== undefined) {
      issues.push(rule("cannot be set together with targetTime; remove one of them", ["backupId"]));
    }
  });

interface Generations {
  readonly generation: number;
  readonly serving?: number | undefined;
  readonly restore?: z.output<typeof restore> | undefined;
  readonly backup?: BackupSettings | undefined;
}

/** What is wrong with the generations of a cluster. */
export function generationProblems({
  generation,
  serving,
  restore,
  backup,
}: Generations): ReturnType<typeof rule>[] {
  const problems: ReturnType<typeof rule>[] = [];
  if (generation === 1) {
    if (restore !== undefined) {
      problems.push(
        rule(
          "makes a generation of its own from backups; set postgres.generation to the next number, or remove it",
          ["restore"],
        ),
      );
    }
  } else {
    if (restore === undefined) {
      problems.push(
        rule(
          `generation ${generation} is made by a restore; set postgres.restore.fromGeneration, or set this to 1`,
          ["generation"],
        ),
      );
    } else if (restore.fromGeneration >= generation) {
      problems.push(
        rule(`must be an earlier generation than ${generation}; name the one whose backups are restored`, [
          "restore",
          "fromGeneration",
        ]),
      );
    }
    if (backup === undefined) {
      problems.push(
        rule("restores from backups; set postgres.backup with the store that has them", ["generation"]),
      );
    }
  }
  const kept = restore?.keepFormer === true ? [restore.fromGeneration, generation] : [generation];
  if (serving !== undefined && !kept.includes(serving)) {
    problems.push(
      rule(
        `must be ${kept.join(" or ")}, a generation that the stack has; set it to one of them, or remove it`,
        ["serving"],
      ),
    );
  }
  return problems;
}
