import { z } from "zod";
import { backup, generationProblems, restore } from "./backups";
import { authoritiesFrom, certificates } from "./certificates";
import { charts as pins, images as imagePins } from "./versions";
import { chartVersion } from "./charts";
import { cidrs, hostName, peerNetwork } from "./addresses";
import { clusterSpecOpening } from "./clusterSpec";
import { flag, ifWrongType, integer, oneOf, refusedKey, rule, text, volumeSize } from "./fields";
import { imagePin } from "./imagePin";
import { imageReference, versionedImage } from "./images";
import { versionOf } from "./imageVersion";
import { dnsLabel, inYaml, labelValue, objectName, secretKey, serviceLabel } from "./names";
import { attributeProblem, connectAttributes } from "./connectAttributes";
import { parameterProblems, parameters } from "./postgresParameters";
import { bytesOf } from "./quantity";
import { secretSetting } from "./secretSettings";
import { containerResources } from "./workers";

/** Oldest major version that Temporal's Postgres plugin supports. */
export const OLDEST_POSTGRES = 12;
/** Oldest major version that CloudNativePG runs (`validateConfiguration` in its webhook). */
const OLDEST_IN_CLUSTER = 13;
/** Share of the instance's memory for Postgres' own cache; the rest is the kernel's and the connections'. */
export const SHARED_BUFFERS_SHARE = 0.25;

/** Smaller volumes have no room for the write-ahead log that the operator asks for. */
const LEAST_VOLUME_BYTES = 1024 ** 3;

const loginRole = oneOf(["a", "b"]);
const generation = (role: string) =>
  integer("number of passwords so far", 1, 1_000_000)
    .default(1)
    .describe(
      `Counts the passwords of login role ${role}; raise it by one for a new password, while the other role is in use.`,
    );

const volume = (what: string) => ({
  size: volumeSize("volume size", LEAST_VOLUME_BYTES).describe(
    `Size of the volume of ${what}; can grow, never shrink.`,
  ),
  storageClass: objectName("a storage class")
    .optional()
    .describe("Storage class, best with reclaim policy Retain; the cluster's default one if absent."),
});

const operator = z
  .strictObject({
    install: flag()
      .default(true)
      .describe(
        "Whether this stack installs the operator; false if one runs already: a cluster takes only one. Where several stacks share a cluster, false in all of them, as the operator goes with the stack that installs it: an administrator installs the chart.",
      ),
    namespace: inYaml(dnsLabel("a namespace name"))
      .default("cnpg-system")
      .describe("Namespace of the operator."),
    chartVersion: chartVersion(pins.cloudNativePg.version, "the operator's chart"),
    image: versionedImage("an image of the operator")
      .default(imagePin(imagePins.cloudNativePgOperator))
      .describe("Image of the operator. A change restarts every Postgres pod."),
    gateImage: imageReference("an image with curl")
      .default(imagePin(imagePins.curl))
      .describe("Image of the job that waits until the operator's webhook answers."),
    replicas: integer("pods", 1, 5).default(2).describe("Pods of the operator; one leads."),
    resources: containerResources({ cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" }),
  })
  .prefault({});

/** Postgres in the cluster, run by CloudNativePG. */
const cluster = z
  .strictObject({
    mode: z.literal("cluster").describe("A Postgres cluster of CloudNativePG."),
    operator,
    name: inYaml(serviceLabel("a cluster name", 50))
      .default("temporal-pg")
      .describe(
        "Name of the cluster and beginning of its Service names. Another name is another, empty database.",
      ),
    image: versionedImage("an image of Postgres")
      .default(imagePin(imagePins.postgres))
      .describe("Image of Postgres; its tag begins with the version."),
    instances: integer("instances", 1, 9)
      .default(3)
      .describe("Postgres instances; with 3 one may fail without loss and without waiting."),
    synchronousReplicas: integer("replicas", 0, 8)
      .optional()
      .describe(
        "Synchronous replicas that must confirm a commit; by default 1 from 3 instances on, else 0: a failover to an asynchronous replica loses data of Temporal.",
      ),
    antiAffinity: oneOf(["required", "preferred"])
      .default("required")
      .describe(
        "Pod anti-affinity of the instances: `required`, or `preferred`, which lets two share a node if there is no other.",
      ),
    storage: z.strictObject(volume("the data"), ifWrongType("a mapping with size")),
    walStorage: z
      .strictObject(volume("the write-ahead log"))
      .optional()
      .describe(
        "A separate volume for the write-ahead log; can never be removed. By default it shares the data volume.",
      ),
    resources: containerResources({ cpu: "1", memory: "4Gi", memoryLimit: "4Gi" }),
    maxConnections: integer("connections", 20, 10_000)
      .default(500)
      .describe("Postgres' `max_connections`; a change restarts all instances."),
    parameters: parameters
      .default({})
      .describe(
        "Additional parameters of postgresql.conf; they override those derived from memory and volumes.",
      ),
    credentials: z
      .strictObject({
        loginRole: loginRole
          .default("a")
          .describe(
            "Login role in use; the two alternate, so that a password changes without a refused connection.",
          ),
        passwordGenerations: z.strictObject({ a: generation("a"), b: generation("b") }).prefault({}),
      })
      .prefault({}),
    backup: backup
      .optional()
      .describe(
        "Backups and archive of the log in an object store; none by default, and production without them breaks a policy.",
      ),
    generation: integer("generation", 1, 999)
      .default(1)
      .describe(
        "Counts the clusters that held the data; raise it by one, with `restore`, to make the next of backups. Each is a Cluster and an archive of its own.",
      ),
    restore: restore
      .optional()
      .describe("How this generation is made of backups; it stays in the file as the record of it."),
    serving: integer("generation", 1, 999)
      .optional()
      .describe(
        "Generation that Temporal uses; `generation` by default. The former one lets the new one be filled and checked beside it, and is the way back.",
      ),
    clusterSpec: clusterSpecOpening,
    podMonitor: refusedKey(
      "is now part of monitoring.mode; remove it, and set monitoring.mode to `resources` for PodMonitors",
    ),
    stopSeconds: integer("seconds", 30, 7200)
      .default(1800)
      .describe("Seconds that an instance has to shut down; less on disposable stacks."),
    readyTimeoutSeconds: integer("seconds", 60, 7200)
      .default(900)
      .describe("Seconds after which `pulumi up` reports that the cluster did not become ready."),
  })
  .check(({ value, issues }) => {
    const replicas = synchronousReplicasOf(value);
    if (replicas >= value.instances) {
      issues.push(
        rule(
          `a commit would wait for ${replicas} replicas, but ${value.instances} instances have only ${value.instances - 1}; lower it or raise postgres.instances above ${replicas}`,
          ["synchronousReplicas"],
        ),
      );
    }
    const [major = 0] = versionOf(value.image);
    if (major < OLDEST_IN_CLUSTER) {
      issues.push(
        rule(
          `CloudNativePG runs PostgreSQL ${OLDEST_IN_CLUSTER} or newer, not ${major}; name a newer image`,
          ["image"],
        ),
      );
    }
    issues.push(...parameterProblems(value));
    issues.push(...generationProblems(value));
    issues.push(...backupProblems(value));
    if ((bytesOf(value.resources.requests.memory) ?? 0) < 256 * 1024 ** 2) {
      issues.push(rule("Postgres needs at least 256Mi; raise it", ["resources", "requests", "memory"]));
    }
  });

interface WithBackup {
  readonly backup?: z.output<typeof backup> | undefined;
  readonly operator: z.output<typeof operator>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly clusterSpec: Readonly<Record<string, unknown>>;
}

function backupProblems({ backup, operator, parameters, clusterSpec }: WithBackup) {
  if (backup === undefined) return [];
  return [
    ...(backup.plugin.install && !operator.install
      ? [
          rule(
            "belongs beside the operator, which this stack does not install; have the plugin installed with it, and set this to false",
            ["backup", "plugin", "install"],
          ),
        ]
      : []),
    ...("archive_timeout" in parameters
      ? [
          rule("is set by postgres.backup.archiveTimeoutSeconds; remove it here", [
            "parameters",
            "archive_timeout",
          ]),
        ]
      : []),
    ...["plugins", "backup", "serviceAccountTemplate"]
      .filter((key) => key in clusterSpec)
      .map((key) => rule("is set by postgres.backup; remove it here", ["clusterSpec", key])),
  ];
}

/** Reaches Temporal's connection string and a shell as it is. */
const databaseName = inYaml(
  text(
    'the name of a database: letters, digits, "_" and "-", beginning with a letter or "_", at most 63 characters',
    /^[A-Za-z_][\w-]*$/,
    63,
  ),
).regex(/^(?!template[01]$|postgres$)/, {
  error: "the name of a database of its own, not of Postgres' own template0, template1 and postgres",
});

/** Postgres that somebody else runs. */
const managed = z
  .strictObject({
    mode: z.literal("managed").describe("A Postgres service that exists already, by address."),
    host: inYaml(hostName("a host name")).describe("Host name of the server, as its certificate has it."),
    port: integer("port", 1, 65535).default(5432).describe("Port of the server."),
    databases: z
      .strictObject({
        default: databaseName
          .default("temporal")
          .describe("Main database; it must exist and belong to the user."),
        visibility: databaseName
          .default("temporal_visibility")
          .describe("Visibility database; it must exist and belong to the user."),
      })
      .prefault({}),
    user: text(
      'a user name: letters, digits, ".", "_", "-" and "@", beginning with a letter or "_" and not with pg_, at most 63 characters',
      /^(?!pg_)[A-Za-z_][\w.@-]*$/,
      63,
    ).describe("User that Temporal logs in as."),
    password: secretSetting(
      text(
        "a password of 1 to 1000 characters without white space and control characters: Temporal's connection string turns spaces into +",
        /^[^\s\p{C}]+$/u,
      ),
    )
      .optional()
      .describe("Password of the user; only as a secret: `pulumi config set --secret --path`."),
    passwordSecret: z
      .strictObject({
        name: inYaml(objectName("the name of a Secret")).describe(
          "Secret in the namespace of the Temporal server.",
        ),
        key: inYaml(secretKey()).default("password").describe("Key of the password in it."),
        revision: labelValue()
          .default("1")
          .describe("Change it whenever the content of the Secret changes: that restarts what uses it."),
      })
      .optional()
      .describe("Secret that holds the password already, instead of `password`."),
    ca: certificates("authorities")
      .optional()
      .describe("Certificate authorities of the server, PEM; the public ones by default."),
    caFrom: authoritiesFrom("the namespace of the Temporal server")
      .optional()
      .describe("Secret or ConfigMap to take them from, instead of `ca`; pods read it when they start."),
    clientCertificateSecret: z
      .strictObject({
        name: inYaml(objectName("the name of a Secret")).describe(
          "Secret in the namespace of the Temporal server, as of type `kubernetes.io/tls`.",
        ),
        certificateKey: inYaml(secretKey()).default("tls.crt").describe("Key of the certificate in it."),
        privateKeyKey: inYaml(secretKey())
          .default("tls.key")
          .describe("Key of its private key in it, without a passphrase."),
        revision: labelValue()
          .default("1")
          .describe("Change it whenever the content of the Secret changes: that restarts what uses it."),
      })
      .optional()
      .describe("Client certificate that Temporal presents in addition to the password; none by default."),
    verifyTls: oneOf(["full", "ca", "none"])
      .default("full")
      .describe(
        "Verification of the server: `full` checks certificate and host name, `ca` the certificate authority only (Cloud SQL by address), `none` nothing. TLS itself is always on.",
      ),
    connectAttributes: connectAttributes
      .default({})
      .describe(
        "Additional connection attributes of Temporal, such as `application_name`, `target_session_attrs` or a session parameter.",
      ),
    maxConnections: integer("connections", 20, 100_000).describe(
      "Connections that the server accepts, `max_connections`; the preflight compares.",
    ),
    network: peerNetwork("the server")
      .optional()
      .describe(
        "Where NetworkPolicies let Temporal through; they know no host names. Every address by default, on the server's port.",
      ),
    cidrs: cidrs().optional().describe("Short form of `network: {cidrs}`."),
    preflightImage: imageReference("an image with psql")
      .default(imagePin(imagePins.postgres))
      .describe("Image of the preflight job, which verifies the login before Temporal is changed."),
  })
  .check(({ value, issues }) => {
    if ((value.password === undefined) === (value.passwordSecret === undefined)) {
      issues.push(rule("needs exactly one of password and passwordSecret; set one, remove the other", []));
    }
    for (const name of ["ca", "caFrom"] as const) {
      if (value[name] !== undefined && value.verifyTls === "none") {
        issues.push(
          rule("verifies nothing while verifyTls is none; remove it, or set verifyTls to ca or full", [name]),
        );
      }
    }
    if (value.ca !== undefined && value.caFrom !== undefined) {
      issues.push(rule("cannot be set together with postgres.ca; remove one of them", ["caFrom"]));
    }
    if ((value.ca ?? value.caFrom) === undefined && value.verifyTls === "ca") {
      issues.push(
        rule(
          "verifies nothing without ca: a public authority signs a certificate for everybody; set ca or caFrom, or set this to full",
          ["verifyTls"],
        ),
      );
    }
    for (const [name, text] of Object.entries(value.connectAttributes)) {
      const problem = attributeProblem(name, text);
      if (problem !== undefined) issues.push(rule(problem, ["connectAttributes", name]));
    }
    if (value.cidrs !== undefined && value.network !== undefined) {
      issues.push(rule("cannot be set together with postgres.network; remove one of them", ["cidrs"]));
    }
    if (value.databases.default === value.databases.visibility) {
      issues.push(
        rule("must differ from databases.default: both have a table schema_version", [
          "databases",
          "visibility",
        ]),
      );
    }
  });

/** Where Temporal's data is. */
export const postgres = z.discriminatedUnion("mode", [cluster, managed]);

/** Settings of Postgres by mode. */
export type PostgresSettings = z.output<typeof postgres>;
/** Settings of a Postgres cluster. */
export type PostgresClusterSettings = z.output<typeof cluster>;
/** Settings of a Postgres service. */
export type ManagedPostgresSettings = z.output<typeof managed>;

/** Replicas that must have a commit before it is acknowledged. */
export function synchronousReplicasOf({
  instances,
  synchronousReplicas,
}: Pick<PostgresClusterSettings, "instances" | "synchronousReplicas">): number {
  return synchronousReplicas ?? (instances >= 3 ? 1 : 0);
}
