import assert from "node:assert/strict";
import {
  existingObjectProblem,
  judgeExistingObjects,
  type ObjectLookup,
} from "../../components/guards/existingObjectsGuard";
import { neededByPostgresService, neededByWorkers } from "../../components/manifests/existingObjects";
import { selects, stackFlows } from "../../components/manifests/flows";
import { openApiProblems } from "../../settings/openapi/validate";
import { parseSettings } from "../../settings/settings";
import { managedSettings } from "../components/samples";
import { LEAST, refusal, source } from "../components/refusal";
import type { Deployment, Values } from "../harness";
import { podsOf, restrictedProblems } from "./pods";
import { at, deployStack, listAt, mappingAt, objectsOf } from "./stack";

const SECRET = "sk_live_51";
const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "64Mi" } };
const sidecar = {
  name: "proxy",
  image: "registry.example.com/proxy@sha256:" + "1".repeat(64),
  resources,
  ...Object.fromEntries(
    ["startupProbe", "readinessProbe", "livenessProbe"].map((probe) => [
      probe,
      { tcpSocket: { port: 5432 } },
    ]),
  ),
};

const PAYMENTS: Values = {
  name: "payments",
  taskQueues: ["payments"],
  secrets: [
    { value: SECRET, env: "STRIPE_API_KEY" },
    { value: `${SECRET}-webhook`, file: "webhook" },
    { secret: "database", key: "password", env: "DATABASE_PASSWORD", revision: "7" },
    { secret: "database", key: "ca.crt", file: "database-ca.crt" },
  ],
  envFrom: [{ secret: "flags" }, { configMap: "regions", prefix: "REGION_" }],
  egress: [
    { cidrs: ["192.0.2.0/24"], ports: [443], why: "payments" },
    { namespace: "databases", podLabels: { app: "db" }, ports: [5432] },
  ],
  tmp: { sizeLimit: "1Gi" },
  serviceAccount: {
    name: "payments",
    annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r" },
  },
  pod: {
    labels: { "azure.workload.identity/use": "true" },
    nodeSelector: { pool: "workers" },
    tolerations: [{ key: "spot", operator: "Exists" }],
    topologySpread: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
    volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Gi" } }],
    volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
    initContainers: [{ ...sidecar, name: "migrate" }],
    sidecars: [sidecar],
  },
};

const workers = (payments: Values = PAYMENTS): Values => ({
  "temporal-stack:workers": [{ name: "orders", taskQueues: ["orders"] }, payments],
});

describe("what a worker group is given, in its pods", () => {
  let deployment: Deployment;
  const inputsOf = (name: string, of = deployment) =>
    of.registrations.find((registration) => registration.name === name)?.inputs;
  const template = (name = "payments", of = deployment) =>
    mappingAt(inputsOf(`worker-${name}-deployment`, of), "spec", "template");
  const container = (name?: string) => at(template(name), "spec", "containers", 0);

  before(async () => {
    deployment = await deployStack("prod", { changes: workers() });
  });

  it("is made of objects that the API server takes, restricted and without token", () => {
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
    for (const pod of podsOf(deployment)) assert.deepEqual(restrictedProblems(pod), [], pod.name);
  });

  it("gives the secret settings by name, in a Secret of the group's own", () => {
    const holders = deployment.registrations.filter(({ inputs }) => JSON.stringify(inputs).includes(SECRET));
    assert.deepEqual(
      holders.map(({ name, secretPaths }) => [name, secretPaths]),
      [["worker-payments-secrets", ["stringData"]]],
    );
    assert.equal(holders[0]?.inputs["immutable"], true);
    assert.ok(!JSON.stringify(deployment.outputs).includes(SECRET));
    const name = "worker-payments-secrets-1a2b3c4d";
    assert.deepEqual(listAt(container(), "env").slice(2), [
      { name: "STRIPE_API_KEY", valueFrom: { secretKeyRef: { name, key: "env.STRIPE_API_KEY" } } },
      { name: "DATABASE_PASSWORD", valueFrom: { secretKeyRef: { name: "database", key: "password" } } },
    ]);
    const files = listAt(template(), "spec", "volumes").find((item) => at(item, "name") === "worker-secrets");
    assert.deepEqual(listAt(files, "projected", "sources"), [
      { secret: { name, items: [{ key: "file.webhook", path: "webhook" }] } },
      { secret: { name: "database", items: [{ key: "ca.crt", path: "database-ca.crt" }] } },
    ]);
  });

  it("lets the program's variables win over those of a whole Secret, and rolls the pods by its revision", () => {
    assert.deepEqual(listAt(container(), "envFrom").slice(0, 2), [
      { secretRef: { name: "flags" } },
      { configMapRef: { name: "regions" }, prefix: "REGION_" },
    ]);
    assert.match(String(at(container(), "envFrom", 2, "configMapRef", "name")), /^worker-payments-config/);
    assert.equal(at(template(), "metadata", "annotations", "temporal-stack/secrets-revision"), "database=7");
  });

  it("uses an account that exists: none is made, and its pods pull with the stack's login themselves", async () => {
    const changes = {
      ...workers({ ...PAYMENTS, serviceAccount: { existing: "shared" } }),
      "temporal-stack:imagePull": { existing: ["registry"] },
    };
    const shared = await deployStack("prod", { changes });
    const accounts = objectsOf(shared, "ServiceAccount").map(({ registration }) => registration.name);
    assert.ok(accounts.includes("worker-orders-service-account"));
    assert.ok(!accounts.includes("worker-payments-service-account"));
    const pod = mappingAt(template("payments", shared), "spec");
    assert.deepEqual(
      [pod["serviceAccountName"], pod["automountServiceAccountToken"], pod["imagePullSecrets"]],
      ["shared", false, [{ name: "registry" }]],
    );
    assert.equal(at(template("orders", shared), "spec", "imagePullSecrets"), undefined);
  });

  it("mounts a limited /tmp everywhere, and volumes only where they are asked for", () => {
    const mounts = (name: string) =>
      listAt(container(name), "volumeMounts").map((mount) => [at(mount, "mountPath"), at(mount, "readOnly")]);
    assert.deepEqual(mounts("orders"), [
      ["/tmp", false],
      ["/var/run/temporal/codec-keys", true],
    ]);
    assert.deepEqual(mounts("payments"), [
      ["/tmp", false],
      ["/var/run/worker/secrets", true],
      ["/var/run/temporal/codec-keys", true],
      ["/scratch", undefined],
    ]);
    assert.deepEqual(at(template(), "spec", "volumes", 0), { name: "tmp", emptyDir: { sizeLimit: "1Gi" } });
  });

  it("names volumes and folders of its own that no setting may take", () => {
    const own = listAt(template("payments"), "spec", "volumes").map((volume) => String(at(volume, "name")));
    for (const name of own.filter((volume) => volume !== "scratch")) {
      const taken = { volumes: [{ name, emptyDir: { sizeLimit: "1Mi" } }] };
      assert.match(
        refusal({ ...LEAST, workers: [{ name: "a", taskQueues: ["a"], pod: taken }] }),
        /is a volume of this program/,
        name,
      );
    }
    for (const mount of listAt(container(), "volumeMounts").slice(0, -1)) {
      const taken = {
        volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }],
        volumeMounts: [{ name: "v", mountPath: at(mount, "mountPath") }],
      };
      assert.match(
        refusal({ ...LEAST, workers: [{ name: "a", taskQueues: ["a"], pod: taken }] }),
        /would hide/,
      );
    }
  });

  it("places the pods, on nodes of the image's architecture unless told otherwise", async () => {
    const spec = mappingAt(template(), "spec");
    assert.deepEqual(spec["nodeSelector"], { "kubernetes.io/arch": "amd64", pool: "workers" });
    assert.deepEqual(spec["tolerations"], [{ key: "spot", operator: "Exists" }]);
    assert.deepEqual(at(spec, "topologySpreadConstraints", 0, "labelSelector", "matchLabels"), {
      "app.kubernetes.io/name": "temporal-worker",
      "app.kubernetes.io/instance": "payments",
      "app.kubernetes.io/component": "worker",
    });
    assert.equal(
      at(template("orders"), "spec", "topologySpreadConstraints", 1, "whenUnsatisfiable"),
      "ScheduleAnyway",
    );
    const arm = await deployStack("prod", {
      changes: {
        "temporal-stack:workerImage": { repository: "registry.example.com/worker", platform: "linux/arm64" },
        "temporal-stack:payloadEncryption": { codecServer: { uiOrigin: "https://temporal.example.com" } },
      },
    });
    for (const name of ["worker-orders-deployment", "codec-server-deployment"]) {
      assert.deepEqual(
        at(inputsOf(name, arm), "spec", "template", "spec", "nodeSelector"),
        { "kubernetes.io/arch": "arm64" },
        name,
      );
    }
  });

  it("starts sidecars before the worker and restricts them as the worker", () => {
    const containers = listAt(template(), "spec", "initContainers");
    assert.deepEqual(
      containers.map((item) => [at(item, "name"), at(item, "restartPolicy")]),
      [
        ["proxy", "Always"],
        ["migrate", undefined],
      ],
    );
  });

  it("names the account for clouds, and labels the pods beside the labels that policies select by", () => {
    const account = mappingAt(inputsOf("worker-payments-service-account"), "metadata");
    assert.equal(account["name"], "payments");
    assert.deepEqual(account["annotations"], { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r" });
    const labels = mappingAt(template(), "metadata", "labels");
    assert.equal(labels["azure.workload.identity/use"], "true");
    assert.equal(labels["app.kubernetes.io/name"], "temporal-worker");
  });

  it("opens the network for this group alone", () => {
    const settings = parseSettings(source({ ...LEAST, workers: [{ ...PAYMENTS, secrets: [] }] }));
    const flows = stackFlows(settings).filter(({ name }) => name.startsWith("worker-"));
    assert.deepEqual(
      flows.map(({ name, to, ports, why }) => [name, to.kind, ports, why]),
      [
        ["worker-payments-egress-0", "addresses", [{ port: 443, protocol: "TCP" }], "payments"],
        [
          "worker-payments-egress-1",
          "pods",
          [{ port: 5432, protocol: "TCP" }],
          "workers[].egress of payments",
        ],
      ],
    );
    const pods = podsOf(deployment).filter(({ name }) => name.startsWith("worker-"));
    for (const { from } of flows) {
      assert.deepEqual(
        pods.filter((pod) => from.kind === "pods" && selects(from, pod)).map(({ name }) => name),
        ["worker-payments-deployment"],
      );
    }
  });
});

describe("guard of the Secrets that exist", () => {
  const needed = {
    setting: "workers[payments].secrets[2]",
    kind: "Secret",
    name: "database",
    key: "password",
  } as const;

  it("says what is missing, and which keys there are", () => {
    const problem = (lookup: ObjectLookup) => existingObjectProblem(needed, "workers", lookup);
    assert.equal(problem({ found: "object", keys: ["password"] }), undefined);
    assert.equal(problem({ found: "unknown", reason: "silence" }), undefined);
    assert.equal(
      problem({ found: "none" }),
      'temporal-stack:workers[payments].secrets[2]: Secret "database" does not exist in namespace "workers"; create it there, or correct the name',
    );
    assert.equal(
      problem({ found: "object", keys: ["user", "passwort"] }),
      'temporal-stack:workers[payments].secrets[2]: Secret "database" in namespace "workers" has no key "password": it has the keys user, passwort; add the key, or correct the setting',
    );
  });

  it("says that an account of a stack is not one to rely on", () => {
    const account = {
      setting: "workers[a].serviceAccount.existing",
      kind: "ServiceAccount",
      name: "a",
    } as const;
    const problem = (stack?: string) =>
      existingObjectProblem(account, "workers", { found: "object", keys: [], stack });
    assert.equal(problem(), undefined);
    assert.match(
      problem("prod") ?? "",
      /ServiceAccount "a" in namespace "workers" is one that stack "prod" makes/,
    );
    // A Secret of a stack may be named: nothing deletes it while it is.
    assert.equal(
      existingObjectProblem({ ...needed, key: undefined }, "workers", {
        found: "object",
        keys: [],
        stack: "prod",
      }),
      undefined,
    );
  });

  it("knows every Secret and ConfigMap that settings name", () => {
    const settings = parseSettings(
      source({
        ...LEAST,
        temporal: {
          mode: "external",
          address: "a:1",
          namespace: "n",
          network: { namespace: "t" },
          tls: { secret: { name: "tls", caKey: "ca" } },
          apiKeySecret: { name: "cloud", key: "token" },
        },
        workers: [
          { name: "orders", taskQueues: ["orders"] },
          {
            ...PAYMENTS,
            serviceAccount: { existing: "shared" },
            secrets: [{ secret: "database", key: "password", env: "DATABASE_PASSWORD" }],
          },
        ],
      }),
    );
    assert.deepEqual(
      neededByWorkers(settings, "payments").map(({ setting, kind, name, key }) => [setting, kind, name, key]),
      [
        ["workers[payments].serviceAccount.existing", "ServiceAccount", "shared", undefined],
        ["workers[payments].secrets[0]", "Secret", "database", "password"],
        ["workers[payments].envFrom[0]", "Secret", "flags", undefined],
        ["workers[payments].envFrom[1]", "ConfigMap", "regions", undefined],
        ["temporal.tls.secret.caKey", "Secret", "tls", "ca"],
        ["temporal.apiKeySecret", "Secret", "cloud", "token"],
      ],
    );
    const { postgres } = managedSettings({}, { clientCertificateSecret: { name: "client" } });
    assert.ok(postgres?.mode === "managed");
    assert.deepEqual(
      neededByPostgresService(postgres).map(({ name, key }) => [name, key]),
      [
        ["postgres-login", "password"],
        ["client", "tls.crt"],
        ["client", "tls.key"],
      ],
    );
  });

  it("stops pods that would wait for a Secret, at creation and at each change", async () => {
    const { hooks, registrations } = await deployStack("prod", { changes: workers() });
    const name = "worker-payments-existing-objects";
    const registered = registrations.find(
      (registration) => registration.name === "worker-payments-deployment",
    );
    assert.deepEqual(registered?.hooks, { beforeCreate: [name], beforeUpdate: [name] });
    assert.equal(hooks.get(name)?.opts?.onDryRun, true);
    assert.equal(hooks.get("worker-orders-existing-objects"), undefined, "it names none");
  });

  it("asks for each object once, and lets a first preview pass, whose namespace is still to be made", async () => {
    let questions = 0;
    const judge = (answer: ObjectLookup, preview = false) =>
      judgeExistingObjects([needed, { ...needed, key: "user" }], "workers", preview, () => {
        questions += 1;
        return Promise.resolve(answer);
      });
    assert.deepEqual(await judge({ found: "object", keys: ["password", "user"] }), {
      problems: [],
      warnings: [],
    });
    assert.equal(questions, 1);
    assert.equal((await judge({ found: "object", keys: ["user"] })).problems.length, 1);
    assert.equal((await judge({ found: "none" }, true)).problems.length, 2);
    assert.equal((await judge({ found: "no-namespace" })).problems.length, 2);
    const first = await judge({ found: "no-namespace" }, true);
    assert.deepEqual([first.problems, first.warnings.length], [[], 1]);
    assert.deepEqual(await judge({ found: "unknown", reason: "the API server answers 403" }), {
      problems: [],
      warnings: ['cannot see whether Secret "database" exists: the API server answers 403'],
    });
  });
});
