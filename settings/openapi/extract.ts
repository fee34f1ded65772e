import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { tools } from "../versions";
import { isMapping, type Mapping } from "../mapping";

/*
 * Writes kubernetes.json: of the API server's own OpenAPI documents, and of the resource definitions of
 * CloudNativePG, its backup plugin and the Prometheus operator, the schemas of the kinds that this project deploys, without
 * descriptions. To be run again when one of the versions moves:
 *
 *   go mod download -json k8s.io/kubernetes@v<version>      # prints the module's folder
 *   go mod download -json github.com/cloudnative-pg/cloudnative-pg@v<version>
 *   go mod download -json github.com/cloudnative-pg/plugin-barman-cloud@v<version>
 *   go mod download -json github.com/prometheus-operator/prometheus-operator@v0.85.0
 *   node --require sucrase/register/ts settings/openapi/extract.ts \
 *     <folder>/api/openapi-spec/v3 <folder of cloudnative-pg>/config/crd/bases <folder of the plugin>/config/crd/bases \
 *     <folder of prometheus-operator>/example/prometheus-operator-crd
 */

const DOCUMENTS = [
  "api__v1",
  "apis__apps__v1",
  "apis__autoscaling__v2",
  "apis__batch__v1",
  "apis__networking.k8s.io__v1",
  "apis__policy__v1",
  "apis__rbac.authorization.k8s.io__v1",
];
const KINDS = [
  "core.v1.Namespace",
  "core.v1.Secret",
  "core.v1.ConfigMap",
  "core.v1.Service",
  "core.v1.ServiceAccount",
  "core.v1.PersistentVolumeClaim",
  "apps.v1.Deployment",
  "autoscaling.v2.HorizontalPodAutoscaler",
  "batch.v1.CronJob",
  "batch.v1.Job",
  "networking.v1.NetworkPolicy",
  "policy.v1.PodDisruptionBudget",
  "rbac.v1.Role",
  "rbac.v1.RoleBinding",
].map((kind) => `io.k8s.api.${kind}`);
const PREFIX = "#/components/schemas/";
const RESOURCE_DEFINITIONS = [
  "postgresql.cnpg.io_clusters.yaml",
  "postgresql.cnpg.io_databases.yaml",
  "postgresql.cnpg.io_scheduledbackups.yaml",
  "barmancloud.cnpg.io_objectstores.yaml",
  "monitoring.coreos.com_podmonitors.yaml",
  "monitoring.coreos.com_prometheusrules.yaml",
];
const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !(key === "description" && typeof item === "string") && key !== "default")
      .map(([key, item]) => [key, withoutDescriptions(item)]),
  );
}

function schemasOf(folder: string): Mapping {
  const all = DOCUMENTS.map((name): unknown =>
    JSON.parse(readFileSync(join(folder, `${name}_openapi.json`), "utf8")),
  );
  const entries = all.flatMap((document) => {
    const components = isMapping(document) ? document["components"] : undefined;
    const schemas = isMapping(components) ? components["schemas"] : undefined;
    return isMapping(schemas) ? Object.entries(schemas) : [];
  });
  return Object.fromEntries(entries);
}

function reachable(schemas: Mapping): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const open = [...KINDS];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name in result) continue;
    result[name] = withoutDescriptions(schemas[name]);
    const references = JSON.stringify(result[name]).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    open.push(...[...references].flatMap(([, reference]) => reference ?? []));
  }
  return result;
}

/** Schemas of custom resources, in the form of the API server's own. */
function customSchemas(definitions: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    RESOURCE_DEFINITIONS.map((file) => {
      const definition: unknown = parseYaml(definitionOf(file, definitions));
      const at = (value: unknown, key: string) => (isMapping(value) ? value[key] : undefined);
      const spec = at(definition, "spec");
      const group = String(at(spec, "group"));
      const kind = String(at(at(spec, "names"), "kind"));
      const versions = at(spec, "versions");
      const [version] = Array.isArray(versions) ? versions.filter(isMapping) : [];
      const schema = withoutDescriptions(at(at(version, "schema"), "openAPIV3Schema"));
      if (version === undefined || !isMapping(schema) || !isMapping(schema["properties"])) {
        throw new Error(`${file} is no resource definition`);
      }
      const name = String(version["name"]);
      const properties = { ...schema["properties"], metadata: { $ref: `${PREFIX}${OBJECT_META}` } };
      const kinds = [{ group, kind, version: name }];
      return [
        `${group}.${name}.${kind}`,
        { ...schema, properties, "x-kubernetes-group-version-kind": kinds },
      ];
    }),
  );
}

function definitionOf(file: string, folders: readonly string[]): string {
  const folder = folders.find((candidate) => existsSync(join(candidate, file)));
  if (folder === undefined) throw new Error(`${file} is in none of ${folders.join(", ")}`);
  return readFileSync(join(folder, file), "utf8");
}

const [folder, ...definitions] = process.argv.slice(2);
if (folder === undefined || definitions.length === 0) {
  throw new Error("usage: extract.ts <folder with OpenAPI v3 documents> <folders with resource definitions>");
}
const all = { ...reachable(schemasOf(folder)), ...customSchemas(definitions) };
const schemas = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
const extract = { kubernetes: tools.kubernetes, prefix: PREFIX, schemas: Object.fromEntries(schemas) };
writeFileSync(join(__dirname, "kubernetes.json"), `${JSON.stringify(extract)}\n`);
