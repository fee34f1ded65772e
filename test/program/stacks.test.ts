import assert from "node:assert/strict";
import { fingerprintOf } from "../../components/guards/payloadKeysGuard";
import { FAKE_DIGEST, FAKE_KEY, FAKE_SEED } from "../emulation";
import type { Deployment, Registration, Values } from "../harness";
import { RELEASE_NAMES } from "../../components/manifests/chartSource";
import { sourceRevision } from "../../components/manifests/sourceRevision";
import { plugins, tools } from "../../settings/versions";
import { openApiProblems, schemaVersion } from "../../settings/openapi/validate";
import { podsOf, restrictedProblems } from "./pods";
import {
  at,
  deployStack,
  listAt,
  load,
  mappingAt,
  objectsOf,
  PROJECT_ROOT,
  stackConfig,
  STACKS,
} from "./stack";

const WORKER_KINDS = [
  "ServiceAccount",
  "ConfigMap",
  "Deployment",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
];
/** Of the official chart and Postgres, in a cluster for good. */
const IN_CLUSTER = {
  Namespace: 3,
  NetworkPolicy: 29,
  RandomPassword: 3,
  Secret: 3,
  ServiceAccount: 4,
  Release: 2,
  Role: 1,
  RoleBinding: 1,
  Cluster: 1,
  Database: 2,
  Job: 2,
  CronJob: 1,
};
const KINDS = {
  local: {
    Namespace: 2,
    NetworkPolicy: 6,
    Deployment: 2,
    PersistentVolumeClaim: 1,
    Service: 2,
    ServiceAccount: 2,
  },
  dev: IN_CLUSTER,
  prod: { ...IN_CLUSTER, PodDisruptionBudget: 2 },
};
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

for (const stack of STACKS) {
  describe(`stack ${stack}`, () => {
    let deployment: Deployment;
    const custom = () => deployment.registrations.filter((registration) => registration.custom);

    before(async () => {
      deployment = await deployStack(stack);
    });

    it("registers exactly the resources that it should", () => {
      const kinds = new Map<string, number>();
      for (const { type } of custom()) {
        const kind = type.split(":").at(-1) ?? type;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      assert.deepEqual(Object.fromEntries(kinds), {
        kubernetes: 1,
        RandomPassword: 1,
        RandomUuid: 1,
        Secret: 1,
        Image: 1,
        ...Object.fromEntries(WORKER_KINDS.map((kind) => [kind, 1])),
        ...KINDS[stack],
      });
    });

    it("gives every Kubernetes object the explicit provider and disables the default one", () => {
      for (const { registration } of objectsOf(deployment)) {
        assert.match(registration.provider, /pulumi:providers:kubernetes::kubernetes::/, registration.name);
      }
      const disabled = stackConfig(stack)["pulumi:disable-default-providers"];
      assert.ok(Array.isArray(disabled) && disabled.includes("kubernetes"));
    });

    it("fixes the cluster's identity and the context, and keeps the kubeconfig to itself", () => {
      const provider = custom().find(({ type }) => type === "pulumi:providers:kubernetes");
      assert.equal(provider?.inputs["clusterIdentifier"], `temporal-stack-${stack}`);
      assert.equal(provider.inputs["context"], "test");
      assert.equal(provider.inputs["kubeconfig"], "");
      assert.doesNotMatch(JSON.stringify(deployment.registrations), /kubeconfig-token/);
    });

    it("puts every resource under a component, with nothing in the component's inputs", () => {
      for (const registration of deployment.registrations) {
        if (registration.type.startsWith("temporal-stack:index:")) assert.deepEqual(registration.inputs, {});
        else if (registration.custom && !registration.type.startsWith("pulumi:providers:")) {
          assert.match(registration.parent, /temporal-stack:index:\w+::/, registration.name);
        }
      }
    });

    it("makes every Job that runs once anew after it failed", () => {
      for (const { inputs } of objectsOf(deployment, "Job")) {
        assert.equal(at(inputs, "metadata", "annotations", "pulumi.com/replaceUnready"), "true");
      }
    });

    it("makes Helm releases only of the names that a recovery looks for", () => {
      const names = custom().flatMap(({ type, inputs }) =>
        type === "kubernetes:helm.sh/v3:Release" ? [inputs["name"]] : [],
      );
      assert.ok(
        names.every((name) => RELEASE_NAMES.some((known) => known === name)),
        names.join(", "),
      );
    });

    it("renders objects that the API server takes", () => {
      assert.equal(schemaVersion(), tools.kubernetes);
      assert.deepEqual(
        objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
        [],
      );
    });

    it("labels every object, and selects pods by labels that they have", () => {
      for (const { inputs, registration } of objectsOf(deployment)) {
        const labels = mappingAt(inputs, "metadata", "labels");
        assert.equal(labels["app.kubernetes.io/managed-by"], "pulumi", registration.name);
        assert.equal(labels["temporal-stack/stack"], stack, registration.name);
      }
      // Pods of charts and operators are selected by those.
      const pods = podsOf(deployment).filter(({ spec }) => spec !== undefined);
      const selectors = [
        ...objectsOf(deployment, "Deployment").map(({ inputs }) =>
          mappingAt(inputs, "spec", "selector", "matchLabels"),
        ),
        ...objectsOf(deployment, "Service").map(({ inputs }) => mappingAt(inputs, "spec", "selector")),
      ];
      for (const selector of selectors) {
        assert.equal(pods.filter((pod) => pod.isSelectedBy(selector)).length, 1, JSON.stringify(selector));
      }
      for (const { inputs, registration } of objectsOf(deployment, "PodDisruptionBudget")) {
        const selector = mappingAt(inputs, "spec", "selector", "matchLabels");
        const selected = podsOf(deployment).filter((pod) => pod.isSelectedBy(selector));
        assert.equal(selected.length, 1, registration.name);
      }
    });

    it("runs only pods that meet Pod Security restricted, without token, with read-only root", () => {
      for (const pod of podsOf(deployment)) assert.deepEqual(restrictedProblems(pod), [], pod.name);
      for (const { inputs } of objectsOf(deployment, "Namespace")) {
        for (const mode of ["enforce", "audit", "warn"]) {
          assert.equal(at(inputs, "metadata", "labels", `pod-security.kubernetes.io/${mode}`), "restricted");
        }
      }
    });

    it("names what has a fixed name as Kubernetes wants it", () => {
      for (const { inputs } of objectsOf(deployment)) {
        const name = at(inputs, "metadata", "name");
        if (typeof name === "string") assert.match(name, DNS_LABEL);
      }
    });

    it("keeps keys out of everything but the Secret's data and the outputs of their generator", () => {
      for (const { name, inputs, secretPaths } of custom()) {
        if (![FAKE_KEY, FAKE_SEED].some((text) => JSON.stringify(inputs).includes(text))) continue;
        assert.match(name, /^(payload-keyring-secret|database-credentials-[ab]-secret)$/);
        assert.ok(secretPaths.some((path) => path.startsWith("stringData")));
      }
      assert.ok(!JSON.stringify(deployment.outputs).includes(FAKE_KEY));
      assert.ok(!JSON.stringify(deployment.outputs).includes(FAKE_SEED));
      assert.ok(!JSON.stringify(deployment.outputs).includes("kubeconfig-token"));
    });

    it("protects what holds data, unless the stack may be thrown away", () => {
      const holders = custom().filter(({ type }) =>
        /:(Namespace|RandomPassword|Secret|PersistentVolumeClaim|Cluster|Database)$/.test(type),
      );
      assert.ok(holders.length > 0);
      for (const holder of holders) {
        const expected = { protect: stack === "prod", retainOnDelete: stack === "prod" };
        assert.deepEqual(
          { protect: holder.protect, retainOnDelete: holder.retainOnDelete },
          expected,
          holder.name,
        );
      }
    });

    it("rolls workers out safely and runs the built image by digest", () => {
      const deployed = objectsOf(deployment, "Deployment").filter(({ registration }) =>
        registration.name.startsWith("worker-"),
      );
      for (const { inputs, registration } of deployed) {
        assert.equal(at(inputs, "spec", "replicas"), undefined);
        assert.equal(at(inputs, "spec", "strategy", "rollingUpdate", "maxUnavailable"), 0);
        assert.match(
          String(at(inputs, "spec", "template", "spec", "containers", 0, "image")),
          new RegExp(`@${FAKE_DIGEST}$`),
        );
        assert.match(registration.timeouts.update, /^\d+s$/);
        assert.ok(
          Number.parseInt(registration.timeouts.update) >
            Number(at(inputs, "spec", "progressDeadlineSeconds")),
        );
        assert.match(
          String(
            at(inputs, "spec", "template", "metadata", "annotations", "temporal-stack/keyring-checksum"),
          ),
          /^[0-9a-f]{64}$/,
        );
      }
      assert.ok(deployed.length > 0);
    });

    it("starts workloads after the policies, and workers after the server", () => {
      // A child waits for its parent, and the parent for what it depends on.
      const worker = find(deployment.registrations, "worker-orders");
      const needs = worker.dependencies.join("\n");
      assert.match(needs, /NetworkPolicy::policy-temporal-workers-deny/);
      assert.match(
        needs,
        stack === "local" ? /Deployment::temporal-deployment/ : /Job::temporal-namespaces-job/,
      );
    });

    it("says what other programs need, by name only", () => {
      const { outputs } = deployment;
      const ours = { namespace: "temporal", service: "temporal-frontend", port: 7233 };
      assert.deepEqual(outputs["temporalFrontend"], ours);
      assert.deepEqual(outputs["temporalUi"], { ...ours, service: "temporal-web", port: 8080 });
      assert.equal(outputs["temporalAddress"], "temporal-frontend.temporal.svc:7233");
      assert.deepEqual(outputs["payloadKeyring"], {
        namespace: "temporal-workers",
        secret: "temporal-payload-keyring",
        activeKey: "key-1",
        keys: [{ id: "key-1", source: "generated", existing: null, fingerprint: fingerprintOf(FAKE_KEY) }],
      });
      assert.deepEqual(outputs["workers"], [
        {
          name: "orders",
          namespace: "temporal-workers",
          deployment: "worker-orders-deployment-1a2b3c4d",
          taskQueues: ["orders"],
          replay: ["/nodejs/bin/node", "lib/cli/replay.js"],
          // Never a business workflow.
          smoke: { workflow: "canary", input: "null", taskQueue: "orders", timeoutSeconds: 120 },
          temporalNamespace: { local: "default", dev: "dev", prod: "prod" }[stack],
          image: { name: "worker", reference: outputs["workerImage"] },
        },
      ]);
      assert.match(String(outputs["workerImage"]), /^[\w./:-]+@sha256:[0-9a-f]{64}$/);
    });

    it("can be previewed", async () => {
      const preview = await deployStack(stack, { preview: true });
      assert.deepEqual(
        preview.registrations.map(({ name }) => name).sort(),
        deployment.registrations.map(({ name }) => name).sort(),
      );
    });
  });
}

describe("codec server", () => {
  const auth = {
    mode: "jwt",
    issuer: "https://login.example.com/",
    audience: "temporal-codec",
    jwksUrl: "https://login.example.com/jwks",
    requiredClaims: { groups: ["temporal-admins"] },
    network: { namespace: "login" },
  };
  const deployed = (settings: Values, stack: (typeof STACKS)[number] = "prod") =>
    deployStack(stack, {
      changes: {
        "temporal-stack:payloadEncryption": {
          codecServer: { uiOrigin: "https://temporal.example.com", ...settings },
        },
      },
    });
  const ofCodecServer = ({ registrations }: Deployment) =>
    registrations.filter(({ name, custom }) => custom && name.startsWith("codec-server-"));
  const environment = (deployment: Deployment) => {
    const [container] = podsOf(deployment)
      .filter(({ name }) => name === "codec-server-deployment")
      .flatMap(({ spec }) => listAt(spec, "containers"));
    return new Map(
      listAt(container, "env").map((item) => [String(at(item, "name")), String(at(item, "value"))]),
    );
  };

  it("is made of objects that the API server takes, restricted and selected by nothing else", async () => {
    const deployment = await deployed({});
    assert.deepEqual(
      ofCodecServer(deployment)
        .map(({ type }) => type.split(":").at(-1))
        .sort(),
      ["Deployment", "PodDisruptionBudget", "RandomPassword", "Secret", "Service", "ServiceAccount"],
    );
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
    const pods = podsOf(deployment);
    for (const pod of pods) assert.deepEqual(restrictedProblems(pod), [], pod.name);
    const [service] = objectsOf(deployment, "Service");
    const selector = mappingAt(service?.inputs, "spec", "selector");
    assert.deepEqual(
      pods.filter((pod) => pod.isSelectedBy(selector)).map(({ name }) => name),
      ["codec-server-deployment"],
    );
  });

  it("runs the worker's image with the keys, and rolls when keys or token change", async () => {
    const deployment = await deployed({ replicas: 3 });
    const { inputs } = find(deployment.registrations, "codec-server-deployment");
    assert.equal(at(inputs, "spec", "replicas"), 3);
    const container = at(inputs, "spec", "template", "spec", "containers", 0);
    assert.equal(at(container, "image"), deployment.outputs["workerImage"]);
    assert.deepEqual(listAt(container, "args"), ["lib/codec-server/main.js"]);
    const annotations = mappingAt(inputs, "spec", "template", "metadata", "annotations");
    assert.deepEqual(Object.keys(annotations), [
      "temporal-stack/keyring-checksum",
      "temporal-stack/token-checksum",
    ]);
    const worker = find(deployment.registrations, "worker-orders-deployment").inputs;
    assert.equal(
      annotations["temporal-stack/keyring-checksum"],
      at(worker, "spec", "template", "metadata", "annotations", "temporal-stack/keyring-checksum"),
    );
    assert.match(find(deployment.registrations, "codec-server").dependencies.join(), /NetworkPolicy::/);
  });

  it("has a generated token that stands in its Secret only", async () => {
    const deployment = await deployed({});
    // Every generated text is the same in tests, those of the database included.
    const holders = deployment.registrations.filter(
      ({ name, inputs }) => !name.startsWith("database-") && JSON.stringify(inputs).includes(FAKE_SEED),
    );
    assert.deepEqual(
      holders.map(({ name }) => name),
      ["codec-server-token-secret"],
    );
    assert.deepEqual(holders[0]?.secretPaths, ["stringData"]);
    assert.ok(!JSON.stringify(deployment.outputs).includes(FAKE_SEED));
    assert.deepEqual(deployment.outputs["codecServer"], {
      namespace: "temporal-workers",
      service: "temporal-codec-server",
      port: 8081,
      tokenSecret: "temporal-codec-server-token",
    });
    const file = environment(deployment).get("CODEC_AUTH_TOKEN_FILE") ?? "";
    const { inputs } = find(deployment.registrations, "codec-server-deployment");
    const spec = at(inputs, "spec", "template", "spec");
    const mount = listAt(spec, "containers", 0, "volumeMounts").find((item) =>
      file.startsWith(`${String(at(item, "mountPath"))}/`),
    );
    const volume = listAt(spec, "volumes").find((item) => at(item, "name") === at(mount, "name"));
    assert.equal(at(volume, "secret", "secretName"), "temporal-codec-server-token");
  });

  it("asks an identity provider's tokens instead, without a token of its own", async () => {
    const deployment = await deployed({ auth });
    assert.ok(!ofCodecServer(deployment).some(({ type }) => /:(RandomPassword|Secret)$/.test(type)));
    assert.equal(at(deployment.outputs, "codecServer", "tokenSecret"), null);
    const variables = environment(deployment);
    assert.equal(variables.get("CODEC_AUTH_ISSUER"), auth.issuer);
    assert.equal(variables.get("CODEC_AUTH_AUDIENCE"), auth.audience);
    assert.equal(variables.get("CODEC_AUTH_JWKS_URL"), auth.jwksUrl);
    assert.deepEqual(JSON.parse(variables.get("CODEC_AUTH_REQUIRED_CLAIMS") ?? ""), auth.requiredClaims);
    assert.ok(!variables.has("CODEC_AUTH_TOKEN_FILE"));
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
  });

  it("is told to the dev server's UI", async () => {
    const publicUrl = "https://codec.example.com";
    const deployment = await deployed({ publicUrl }, "local");
    const { inputs } = find(deployment.registrations, "temporal-deployment");
    const args = listAt(inputs, "spec", "template", "spec", "containers", 0, "args");
    assert.ok(args.includes(`--ui-codec-endpoint=${publicUrl}`));
  });

  it("is not there by default", async () => {
    const deployment = await deployStack("prod");
    assert.deepEqual(ofCodecServer(deployment), []);
    assert.equal(deployment.outputs["codecServer"], null);
  });
});

describe("program", () => {
  it("builds nothing when a digest is given", async () => {
    const digest = `sha256:${"1".repeat(64)}`;
    const repository = "registry.example.com/worker";
    const deployment = await deployStack("prod", {
      changes: { "temporal-stack:workerImage": { repository, digest } },
    });
    assert.ok(!deployment.registrations.some(({ type }) => type.startsWith("docker:")));
    assert.equal(deployment.outputs["workerImage"], `${repository}@${digest}`);
  });

  it("leaves the keyring out when payloads are not encrypted", async () => {
    const deployment = await deployStack("dev", {
      changes: { "temporal-stack:payloadEncryption": { enabled: false } },
    });
    assert.ok(!deployment.registrations.some(({ name }) => name.startsWith("payload-keyring")));
    assert.equal(deployment.outputs["payloadKeyring"], null);
    const [config] = objectsOf(deployment, "ConfigMap");
    assert.deepEqual(
      Object.keys(mappingAt(config?.inputs, "data")).filter((name) => name.startsWith("CODEC_")),
      [],
    );
  });

  it("generates one key for each id", async () => {
    const deployment = await deployStack("dev", {
      changes: { "temporal-stack:payloadEncryption": { keys: ["key-1", "key-2"], activeKey: "key-2" } },
    });
    const names = deployment.registrations.flatMap(({ type, name }) =>
      type.endsWith(":RandomPassword") && name.startsWith("payload-keyring-") ? [name] : [],
    );
    assert.deepEqual(names, ["payload-keyring-key-1", "payload-keyring-key-2"]);
  });

  it("keeps retired keys, and gives them to nobody", async () => {
    const deployment = await deployStack("prod", {
      changes: {
        "temporal-stack:payloadEncryption": {
          keys: ["key-2"],
          activeKey: "key-2",
          retiredKeys: ["key-1"],
        },
      },
    });
    const seeds = deployment.registrations.filter(
      ({ type, name }) => type.endsWith(":RandomPassword") && name.startsWith("payload-keyring-"),
    );
    assert.deepEqual(
      seeds.map(({ name, protect }) => [name, protect]),
      [
        ["payload-keyring-key-2", true],
        ["payload-keyring-key-1", true],
      ],
    );
    const secret = find(deployment.registrations, "payload-keyring-secret");
    assert.deepEqual(Object.keys(mappingAt(secret.inputs, "stringData")), ["key-2"]);
  });

  it("hands a registry password on as a secret", async () => {
    const registry = { username: "pusher", password: "hunter2" };
    const deployment = await deployStack("dev", {
      changes: { "temporal-stack:workerImage": { repository: "registry.example.com/worker", registry } },
    });
    const image = find(deployment.registrations, "worker-image-build");
    assert.deepEqual(image.secretPaths, ["registry.password"]);
    assert.equal(at(image.inputs, "registry", "server"), "registry.example.com");
  });

  it("lets the cluster pull with a login of its own, kept as a secret", async () => {
    const pullSecret = { username: "puller", password: "hunter2" };
    const deployment = await deployStack("dev", {
      changes: { "temporal-stack:workerImage": { repository: "registry.example.com/worker", pullSecret } },
    });
    const secret = find(deployment.registrations, "image-pull-secret");
    assert.deepEqual(secret.secretPaths, ["stringData"]);
    assert.equal(secret.inputs["type"], "kubernetes.io/dockerconfigjson");
    const config: unknown = JSON.parse(String(at(secret.inputs, "stringData", ".dockerconfigjson")));
    const auth = Buffer.from("puller:hunter2").toString("base64");
    assert.deepEqual(config, { auths: { "registry.example.com": { ...pullSecret, auth } } });
    const account = find(deployment.registrations, "worker-orders-service-account");
    assert.deepEqual(account.inputs["imagePullSecrets"], [{ name: "image-pull-secret-1a2b3c4d" }]);
  });

  it("lets the cluster pull with a Secret that is there already", async () => {
    const pullSecret = { existing: "registry-login" };
    const deployment = await deployStack("prod", {
      changes: { "temporal-stack:workerImage": { repository: "registry.example.com/worker", pullSecret } },
    });
    assert.ok(!deployment.registrations.some(({ name }) => name === "image-pull-secret"));
    const account = find(deployment.registrations, "worker-orders-service-account");
    assert.deepEqual(account.inputs["imagePullSecrets"], [{ name: "registry-login" }]);
  });

  it("labels the image with the commit that its sources are from, and dates it by that commit", async () => {
    const changes = {
      "temporal-stack:workerImage": { repository: "a/b", source: "https://git.example.com/stack" },
    };
    const { registrations } = await deployStack("dev", { changes });
    const args = mappingAt(find(registrations, "worker-image-build").inputs, "build", "args");
    const { commit, time } = sourceRevision(`${PROJECT_ROOT}/worker`);
    assert.deepEqual(
      [args["REVISION"], args["SOURCE_DATE_EPOCH"], args["SOURCE"]],
      [commit, String(time), "https://git.example.com/stack"],
    );
    assert.equal(Date.parse(String(args["CREATED"])), time * 1000);
  });

  it("has workers trace only where settings say so, with the receiver's headers in a Secret of their own", async () => {
    const headers = "authorization=Bearer%20hunter2";
    const endpoint = "https://collector.observability.svc:4318";
    const deployment = await deployStack("prod", {
      changes: {
        "temporal-stack:tracing": {
          endpoint,
          sampleRatio: 0.25,
          headers,
          network: { namespace: "observability" },
        },
      },
    });
    const data = mappingAt(objectsOf(deployment, "ConfigMap")[0]?.inputs, "data");
    assert.deepEqual(Object.fromEntries(Object.entries(data).filter(([name]) => name.startsWith("OTEL_"))), {
      OTEL_SERVICE_NAME: "temporal-worker-orders",
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
    });
    const secret = find(deployment.registrations, "worker-orders-environment");
    assert.equal(at(secret.inputs, "stringData", "OTEL_EXPORTER_OTLP_HEADERS"), headers);
    assert.ok(secret.secretPaths.some((path) => path.startsWith("stringData")));
    for (const { name, inputs } of deployment.registrations) {
      assert.ok(name === secret.name || !JSON.stringify(inputs).includes("hunter2"), name);
    }
    const [pod] = objectsOf(deployment, "Deployment");
    assert.equal(
      at(pod?.inputs, "spec", "template", "spec", "containers", 0, "envFrom", 1, "secretRef", "name"),
      "worker-orders-environment-1a2b3c4d",
    );
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
    for (const stack of STACKS) {
      const config = mappingAt(objectsOf(await deployStack(stack), "ConfigMap")[0]?.inputs, "data");
      assert.ok(!Object.keys(config).some((name) => name.startsWith("OTEL_")));
    }
  });

  it("stops before the first resource when settings are wrong", async () => {
    const changes = { "temporal-stack:wrokers": [] };
    await assert.rejects(
      deployStack("dev", { changes }),
      /temporal-stack:wrokers \(Pulumi\.dev\.yaml\): unknown key; did you mean "workers"\?/,
    );
  });

  it("uses plugins of the versions that are installed", () => {
    for (const [name, version] of Object.entries(plugins)) {
      const manifest: unknown = load(`${PROJECT_ROOT}/node_modules/@pulumi/${name}/package.json`);
      assert.equal(at(manifest, "version"), version, name);
    }
  });

  it("keeps at least two pods of every worker in production", async () => {
    const deployment = await deployStack("prod");
    for (const { inputs } of objectsOf(deployment, "HorizontalPodAutoscaler")) {
      assert.ok(Number(at(inputs, "spec", "minReplicas")) >= 2);
      assert.equal(listAt(inputs, "spec", "metrics").length, 1);
    }
  });
});

function find(registrations: readonly Registration[], name: string): Registration {
  const found = registrations.find((registration) => registration.name === name);
  if (found === undefined) throw new Error(`no resource ${name}`);
  return found;
}
