import assert from "node:assert/strict";
import { execaSync } from "execa";
import { deployScript, removeScript } from "../../bench/prod/script";
import { stackObjects } from "../../bench/prod/stackObjects";

const commands = { kubectl: "/tools/kubectl", helm: "/tools/it's helm" };
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const release = (chart: string, namespace: string, more: object = {}) => ({
  type: "kubernetes:helm.sh/v3:Release",
  inputs: {
    ...{ name: chart, chart, namespace, version: "1.0.0", timeout: 600, values: { replicas: 2 } },
    repositoryOpts: { repo: "http://charts.example" },
    ...more,
  },
});
const object = (type: string, metadata: object, more: object = {}) => {
  const [apiVersion, kind] = type.split(":");
  return { type: `kubernetes:${type}`, inputs: { apiVersion, kind, metadata, ...more } };
};

const exported = (...resources: object[]): string => JSON.stringify({ deployment: { resources } });
const prod = exported(
  { type: "pulumi:pulumi:Stack" },
  object("v1:Namespace", { name: "temporal" }),
  object(
    "v1:Secret",
    { name: "login", namespace: "temporal" },
    { stringData: secret({ password: "a" }), __own: 1 },
  ),
  object("batch/v1:Job", { name: "gate", namespace: "cnpg-system" }),
  object("batch/v1:CronJob", { name: "reconcile", namespace: "temporal" }),
  object("batch/v1:Job", { name: "reconcile-1", namespace: "temporal" }),
  object("postgresql.cnpg.io/v1:Cluster", {
    ...{ name: "pg", namespace: "temporal" },
    annotations: { "pulumi.com/waitFor": '["condition=Ready","jsonpath={.status.reconciled}"]' },
  }),
  object("postgresql.cnpg.io/v1:Database", {
    ...{ name: "pg-default", namespace: "temporal" },
    annotations: { "pulumi.com/waitFor": "jsonpath={.status.applied}=true" },
  }),
  object("apps/v1:Deployment", { name: "worker", namespace: "temporal-workers" }),
  release("cloudnative-pg", "cnpg-system"),
  release("temporal", "temporal", { waitForJobs: true, values: { password: secret("b") } }),
);

describe("script that deploys what a stack has deployed", () => {
  const objects = stackObjects(prod);
  const { text, files } = deployScript(objects, commands);

  it("has every object in one file, and every release's values, in plain text", () => {
    const names = Object.values(files).flatMap((file) =>
      Array.from(JSON.stringify(file).matchAll(/"metadata":\{"name":"([\w-]+)"/g), ([, name]) => name),
    );
    const all = objects.objects.map(({ metadata }) => metadata.name);
    assert.deepEqual(names.sort(), all.sort());
    assert.deepEqual(files["server-values.json"], { password: "b" });
    assert.match(JSON.stringify(files["objects-temporal.json"]), /"stringData":\{"password":"a"\}\}/);
  });

  it("waits for what the program waits for, in its order", () => {
    const steps = [
      "apply namespaces.json",
      "helm install 'cloudnative-pg'",
      "until apply clusters.json",
      "kube wait '--for=condition=Ready' 'cluster.postgresql.cnpg.io/pg'",
      "kube wait '--for=jsonpath={.status.reconciled}' 'cluster.postgresql.cnpg.io/pg'",
      "apply databases.json",
      "kube wait '--for=jsonpath={.status.applied}=true' 'database.postgresql.cnpg.io/pg-default'",
      "--wait --wait-for-jobs --timeout 600s",
      "apply reconcilers.json",
      "kube wait '--for=condition=Complete' 'job.batch/reconcile-1'",
      "apply deployments.json",
      "kube rollout status 'deployment/worker' --namespace 'temporal-workers'",
    ];
    const places = steps.map((step) => text.indexOf(step));
    assert.ok(!places.includes(-1), text);
    assert.deepEqual(
      places,
      places.toSorted((one, other) => one - other),
    );
  });

  it("is a script, as is the one that takes it all away, Databases before their Cluster", () => {
    const removal = removeScript(objects, commands);
    for (const script of [text, removal]) execaSync("bash", ["-n"], { input: script });
    assert.ok(removal.indexOf("database.postgresql") < removal.indexOf("cluster.postgresql"));
    assert.ok(removal.indexOf("cluster.postgresql") < removal.indexOf("uninstall 'cloudnative-pg'"));
  });

  it("is refused for a stack without the two charts, and for encrypted secrets", () => {
    assert.throws(() => deployScript(stackObjects(exported()), commands), /two charts/);
    const marked = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    const encrypted = object("v1:Secret", { name: "login" }, { data: { ...marked, ciphertext: "v1:x" } });
    assert.throws(() => stackObjects(exported(encrypted)), /is encrypted/);
  });
});
