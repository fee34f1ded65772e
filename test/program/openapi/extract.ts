import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tools } from "../../../components/versions";
import { isValues, type Values } from "../../harness";

/*
 * Writes kubernetes.json: of the API server's own OpenAPI documents, the schemas of the kinds that this
 * project deploys, without descriptions. To be run again when the Kubernetes version moves:
 *
 *   go mod download -json k8s.io/kubernetes@v<version>      # prints the module's folder
 *   node --require sucrase/register/ts test/program/openapi/extract.ts <folder>/api/openapi-spec/v3
 */

const DOCUMENTS = [
  "api__v1",
  "apis__apps__v1",
  "apis__autoscaling__v2",
  "apis__networking.k8s.io__v1",
  "apis__policy__v1",
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
  "networking.v1.NetworkPolicy",
  "policy.v1.PodDisruptionBudget",
].map((kind) => `io.k8s.api.${kind}`);
const PREFIX = "#/components/schemas/";

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (!isValues(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !(key === "description" && typeof item === "string") && key !== "default")
      .map(([key, item]) => [key, withoutDescriptions(item)]),
  );
}

function schemasOf(folder: string): Values {
  const all = DOCUMENTS.map((name): unknown =>
    JSON.parse(readFileSync(join(folder, `${name}_openapi.json`), "utf8")),
  );
  const entries = all.flatMap((document) => {
    const components = isValues(document) ? document["components"] : undefined;
    const schemas = isValues(components) ? components["schemas"] : undefined;
    return isValues(schemas) ? Object.entries(schemas) : [];
  });
  return Object.fromEntries(entries);
}

function reachable(schemas: Values): Record<string, unknown> {
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

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: extract.ts <folder with the OpenAPI v3 documents>");
const schemas = Object.entries(reachable(schemasOf(folder))).sort(([a], [b]) => (a < b ? -1 : 1));
const extract = { kubernetes: tools.kubernetes, prefix: PREFIX, schemas: Object.fromEntries(schemas) };
writeFileSync(join(__dirname, "kubernetes.json"), `${JSON.stringify(extract)}\n`);
