import { z } from "zod";
import { looksSecret } from "./env";
import { ifWrongType, rule } from "./fields";
import { isMapping } from "./mapping";
import { partProblems } from "./openapi/validate";
import { owned, ownedProblems } from "./ownedPaths";
import { reservedLabelProblems } from "./reservedLabels";

/** What this program sets in the Postgres Cluster and promises to keep so. */
const OWNED = [
  ...["instances", "storage", "walStorage", "resources"].flatMap((key) =>
    owned(`set postgres.${key} instead`, key),
  ),
  ...owned("set postgres.image instead", "imageName", "imageCatalogRef"),
  ...owned("set imagePull instead", "imagePullSecrets"),
  ...owned("set postgres.parameters instead", "postgresql.parameters", "postgresql.enableAlterSystem"),
  ...owned("nobody logs in without TLS and a password; remove it", "postgresql.pg_hba"),
  ...owned(
    "set postgres.synchronousReplicas instead",
    "postgresql.synchronous",
    "minSyncReplicas",
    "maxSyncReplicas",
  ),
  ...owned("set scheduling.postgres or postgres.antiAffinity instead", "affinity", "priorityClassName"),
  ...owned("set postgres.stopSeconds instead", "stopDelay"),
  ...owned("set monitoring.mode instead", "monitoring.enablePodMonitor"),
  ...owned("nobody logs in as superuser; remove it", "enableSuperuserAccess", "superuserSecret"),
  ...owned(
    "it decides from what the databases are made, once and for all; remove it",
    "bootstrap",
    "externalClusters",
    "replica",
  ),
  ...owned("the server logs in as these roles; remove it", "managed.roles"),
  ...owned(
    "the server reaches Postgres by its Service, and nobody from outside; remove it",
    "managed.services",
  ),
  ...owned("the server verifies the operator's own authority; remove it", "certificates"),
  ...owned("node drains must lose one instance at a time; remove it", "enablePDB"),
  ...owned(
    "instances run as Pod Security restricted wants it; remove it",
    "securityContext",
    "podSecurityContext",
    "seccompProfile",
    "postgresUID",
    "postgresGID",
  ),
];

/** Further fields of the Postgres Cluster. */
export const clusterSpecOpening = z
  .record(z.string(), z.unknown(), ifWrongType("a mapping of fields of a Cluster's spec"))
  .check(({ value, issues }) => {
    issues.push(...ownedProblems(value, OWNED));
    // What is required is set by the program.
    const problems = partProblems("postgresql.cnpg.io.v1.Cluster", {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: {},
      spec: { instances: 1, ...value },
    });
    issues.push(...problems.map(({ path, text }) => rule(text, path.slice(1))));
    const metadata = value["inheritedMetadata"];
    const labels = isMapping(metadata) ? metadata["labels"] : undefined;
    if (isMapping(labels)) {
      issues.push(
        ...reservedLabelProblems(labels).map((problem) => ({
          ...problem,
          path: ["inheritedMetadata", "labels", ...problem.path],
        })),
      );
    }
    const env = value["env"];
    (Array.isArray(env) ? env : []).forEach((variable: unknown, index) => {
      if (isMapping(variable) && looksSecret(String(variable["name"])) && variable["value"] !== undefined) {
        issues.push(
          rule("looks like a secret, but would stand in plain text; use valueFrom.secretKeyRef", [
            "env",
            index,
            "value",
          ]),
        );
      }
    });
  })
  .default({})
  .describe(
    "Further fields of the Cluster of CloudNativePG, merged over those that the program sets and checked against its resource definition. What would undo a promise of the stack is refused.",
  );
