import assert from "node:assert/strict";
import { deployStack, mappingAt, objectsOf } from "../program/stack";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import { Clone } from "../support/namespacesOnly";

/*
 * What settings say of Secrets that exist, and of fields of pods, against a real API server: its answers, its
 * admission, its own opinion about every field.
 */

const NAMESPACE = "temporal-workers";
const GROUP = "temporal-stack:workers[0]";

describe("what workers need, on a real API server", () => {
  let server: ApiServer;
  let clone: Clone;

  const kubectl = async (args: readonly string[], input?: unknown): Promise<string> => {
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, args, input);
    assert.equal(exitCode, 0, output);
    return output;
  };
  const preview = () => {
    const settings = {
      name: "orders",
      "taskQueues[0]": "orders",
      "secrets[0].secret": "stripe",
      "secrets[0].key": "api-key",
      "secrets[0].env": "STRIPE_API_KEY",
    };
    const config = Object.entries(settings).map(([key, value]) => `${GROUP}.${key}=${value}`);
    return clone.run(["preview", "--config-path", ...config.flatMap((entry) => ["--config", entry])]);
  };

  before(async () => {
    server = await ApiServer.start();
    clone = new Clone(server.kubeconfig(ADMINISTRATOR));
    await clone.start();
    await kubectl(["create", "--filename=-"], {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "example.com/none",
    });
  });

  after(async () => {
    clone.stop();
    await server.stop();
  });

  it("a first preview, before the namespace is there, says what must be in it", async () => {
    const { output } = await preview();
    assert.match(output, /Secret "stripe" must be in namespace "temporal-workers" before its pods start/);
    assert.doesNotMatch(output, /does not exist in namespace/);
  });

  it("a Secret and a key that are not there are refused at preview, and accepted once they are", async () => {
    const { failed, output } = await clone.up();
    assert.ok(!failed, output);
    const missing = await preview();
    assert.ok(missing.failed);
    assert.match(
      missing.output,
      /temporal-stack:workers\[orders\]\.secrets\[0\]: Secret "stripe" does not exist in namespace "temporal-workers"/,
    );

    await kubectl(["create", "secret", "generic", "stripe", "-n", NAMESPACE, "--from-literal=token=hunter2"]);
    const keyless = await preview();
    assert.ok(keyless.failed);
    assert.match(keyless.output, /Secret "stripe" .*has no key "api-key": it has the keys token/);
    assert.ok(!keyless.output.includes("hunter2"));

    await kubectl([
      "patch",
      "secret",
      "stripe",
      "-n",
      NAMESPACE,
      "-p",
      '{"stringData":{"api-key":"hunter2"}}',
    ]);
    const { output: accepted } = await preview();
    assert.doesNotMatch(accepted, /Secret "stripe"/);
  });

  it("pods with everything that a group may be given pass strict validation and Pod Security", async () => {
    const resources = { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi" } };
    const container = { image: "registry.example.com/proxy:1", resources };
    const deployment = await deployStack("local", {
      changes: {
        "temporal-stack:scheduling": { default: { tolerations: [{ key: "spot", operator: "Exists" }] } },
        "temporal-stack:workers": [
          {
            name: "payments",
            taskQueues: ["payments"],
            secrets: [
              { secret: "stripe", key: "api-key", env: "STRIPE_API_KEY", revision: "1" },
              { secret: "stripe", key: "api-key", file: "stripe" },
            ],
            envFrom: [{ configMap: "regions", prefix: "REGION_" }],
            pod: {
              annotations: { "example.com/a": "b" },
              labels: { "azure.workload.identity/use": "true" },
              nodeSelector: { pool: "workers" },
              affinity: {
                podAntiAffinity: {
                  preferredDuringSchedulingIgnoredDuringExecution: [
                    { weight: 1, podAffinityTerm: { topologyKey: "zone", labelSelector: {} } },
                  ],
                },
              },
              topologySpread: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
              volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Gi" } }],
              volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
              initContainers: [
                { ...container, name: "migrate", volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] },
              ],
              sidecars: [{ ...container, name: "proxy" }],
            },
          },
        ],
      },
    });
    const worker = objectsOf(deployment, "Deployment").find(({ registration }) =>
      registration.name.startsWith("worker-"),
    );
    const template = mappingAt(worker?.inputs, "spec", "template");
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      ...template,
      metadata: { ...mappingAt(template, "metadata"), name: "worker", namespace: NAMESPACE },
    };
    const create = ["create", "--dry-run=server", "--validate=strict", "--filename=-"];
    await kubectl(create, pod);
    // What settings refuse the namespace refuses, too.
    const spec = { ...mappingAt(pod, "spec"), hostNetwork: true };
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, create, { ...pod, spec });
    assert.notEqual(exitCode, 0);
    assert.match(output, /violates PodSecurity "restricted/);
  });
});
