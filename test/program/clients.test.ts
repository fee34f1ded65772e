import assert from "node:assert/strict";
import { clientObjectProblem } from "../../components/guards/clientObjectsGuard";
import { deployerObjects } from "../../components/manifests/deployer";
import { deployerLimits } from "../../components/manifests/deployerAdmission";
import { connectionFlows } from "../../components/manifests/flows";
import { neededAccess } from "../../ops/doctor/checks/permissions";
import { stackSettings } from "../support/stackSettings";
import { at, deployStack, listAt, mappingAt, objectsOf } from "./stack";

const SHOP = { namespace: "shop", podLabels: { app: "shop" }, payloadKeys: "temporal-keys" };
const REPORTS = { namespace: "reports", temporalNamespace: "dev", connection: "temporal-of-dev" };

describe("clients of a stack", () => {
  const settings = stackSettings("dev", { clients: [SHOP, REPORTS] });

  it("get connection settings in their own namespaces, and payload keys where they ask for them", async () => {
    const deployment = await deployStack("dev", { changes: { "temporal-stack:clients": [SHOP, REPORTS] } });
    const of = (namespace: string, kind: string) =>
      objectsOf(deployment, kind).filter(({ inputs }) => at(inputs, "metadata", "namespace") === namespace);
    const [connection] = of("shop", "ConfigMap");
    assert.deepEqual(connection?.inputs["data"], {
      TEMPORAL_ADDRESS: "temporal-frontend.temporal.svc:7233",
      TEMPORAL_NAMESPACE: "dev",
      TEMPORAL_TLS: "false",
      CODEC_ACTIVE_KEY: "key-1",
      CODEC_BIND_TO_WORKFLOW: "true",
    });
    assert.equal(at(connection.inputs, "metadata", "name"), "temporal-connection");
    assert.deepEqual(connection.registration.hooks.beforeCreate.length, 1);
    const [keys, ...more] = of("shop", "Secret");
    assert.deepEqual(more, []);
    assert.equal(at(keys?.inputs, "metadata", "name"), "temporal-keys");
    const workersOwn = of("temporal-workers", "Secret").find(
      ({ inputs }) => at(inputs, "metadata", "name") === "temporal-payload-keyring",
    );
    assert.deepEqual(keys?.inputs["stringData"], workersOwn?.inputs["stringData"]);
    assert.ok(keys?.registration.secretPaths.some((path) => path.startsWith("stringData")));
    assert.equal(at(of("reports", "ConfigMap")[0]?.inputs, "metadata", "name"), "temporal-of-dev");
    assert.deepEqual(of("reports", "Secret"), []);
    // Their namespaces stay their own: no object closes them.
    assert.deepEqual([...of("shop", "NetworkPolicy"), ...of("reports", "NetworkPolicy")], []);
    const namespaces = objectsOf(deployment, "Namespace").map(({ inputs }) => at(inputs, "metadata", "name"));
    assert.ok(!namespaces.includes("shop"));
  });

  it("may call the frontend and nothing else, as the table of flows says", async () => {
    const flows = connectionFlows(settings).filter(({ why }) => why === "clients");
    assert.deepEqual(
      flows.map(({ from, ports }) => [from, ports]),
      [
        [{ kind: "pods", namespace: "shop", labels: { app: "shop" } }, [{ port: 7233, protocol: "TCP" }]],
        [{ kind: "pods", namespace: "reports", labels: {} }, [{ port: 7233, protocol: "TCP" }]],
      ],
    );
    const deployment = await deployStack("dev", { changes: { "temporal-stack:clients": [SHOP] } });
    const doors = objectsOf(deployment, "NetworkPolicy").filter(({ inputs }) =>
      JSON.stringify(inputs).includes('"shop"'),
    );
    assert.deepEqual(
      doors.map(({ inputs }) => [at(inputs, "metadata", "namespace"), at(inputs, "spec", "policyTypes")]),
      [["temporal", ["Ingress"]]],
    );
  });

  it("are within what a deployer may do: two objects by name, of no other type", () => {
    const objects = deployerObjects(settings, { kind: "Group", name: "deployers" });
    const roles = objects.filter(
      ({ kind, metadata }) => kind === "Role" && at(metadata, "namespace") === "shop",
    );
    assert.equal(roles.length, 1);
    assert.deepEqual(
      listAt(roles[0], "rules").map((rule) => [
        listAt(rule, "resources")[0],
        listAt(rule, "verbs").join(),
        at(rule, "resourceNames", 0),
      ]),
      [
        ["configmaps", "create", undefined],
        ["configmaps", "get,patch,update,delete", "temporal-connection"],
        ["secrets", "create", undefined],
        ["secrets", "get,patch,update,delete", "temporal-keys"],
      ],
    );
    assert.ok(!objects.some(({ kind, metadata }) => kind === "Namespace" && at(metadata, "name") === "shop"));
    const limit = deployerLimits(settings).find(({ name }) => name === "clients");
    assert.ok(limit);
    for (const expression of limit.expressions)
      assert.match(expression, /^!\(request\.namespace in \["shop","reports"\]\)/);
    assert.ok(!deployerLimits(stackSettings("dev")).some(({ name }) => name === "clients"));
    assert.ok(
      neededAccess(settings).some(
        ({ namespace, resource, name }) =>
          namespace === "shop" && resource === "secrets" && name === "temporal-keys",
      ),
    );
  });

  it("are refused in a namespace that is not there, and in the place of what is somebody else's", () => {
    const object = {
      setting: "clients[0]",
      key: "payloadKeys",
      kind: "Secret",
      name: "temporal-keys",
      namespace: "shop",
    } as const;
    assert.match(
      clientObjectProblem(object, "dev", { found: "no-namespace" }) ?? "",
      /^temporal-stack:clients\[0\]\.namespace: there is no namespace "shop" in the cluster; create it/,
    );
    const labelled = (labels: Record<string, string>) =>
      clientObjectProblem(object, "dev", { found: "object", labels });
    for (const labels of [{}, { "temporal-stack/stack": "prod" }]) {
      assert.match(
        labelled(labels) ?? "",
        /^temporal-stack:clients\[0\]\.payloadKeys: Secret "temporal-keys" in namespace "shop" is not of stack "dev"/,
      );
    }
    // What a failed update left is this stack's.
    assert.equal(labelled({ "temporal-stack/stack": "dev" }), undefined);
    assert.equal(clientObjectProblem(object, "dev", { found: "none" }), undefined);
  });

  const refusals: readonly [title: string, clients: readonly object[], more: object, pattern: RegExp][] = [
    [
      "a namespace of the stack",
      [{ namespace: "temporal-workers" }],
      {},
      /clients\[0\]\.namespace \(Pulumi\.dev\.yaml\): is a namespace of this stack/,
    ],
    ["a namespace of Kubernetes", [{ namespace: "kube-system" }], {}, /belongs to Kubernetes itself/],
    [
      "one namespace twice",
      [{ namespace: "a" }, { namespace: "a" }],
      {},
      /namespace of clients\[0\] already/,
    ],
    [
      "a Temporal namespace that nobody makes",
      [{ namespace: "a", temporalNamespace: "orders" }],
      {},
      /temporalNamespace .*"orders" is none of temporal\.namespaces \(dev\)/,
    ],
    [
      "keys without encryption",
      [SHOP],
      { payloadEncryption: { enabled: false } },
      /payloadKeys .*has nothing to hand over/,
    ],
    [
      "keys in a Secret of the user's own",
      [SHOP],
      { payloadEncryption: { keys: [{ id: "key-1", secret: "vault", key: "k" }] } },
      /payloadKeys .*"key-1", which is in your Secret "vault"/,
    ],
  ];
  for (const [title, clients, more, pattern] of refusals) {
    it(`refuse ${title}`, () => {
      assert.throws(() => stackSettings("dev", { clients, ...more }), pattern);
    });
  }

  it("name an external server with TLS, and have no door of this stack", async () => {
    const temporal = {
      ...{ mode: "external", address: "temporal.example.com:7233", namespace: "orders" },
      ...{ network: { cidrs: ["192.0.2.0/24"] }, tls: { serverName: "temporal.example.com" } },
    };
    const changes = {
      "temporal-stack:temporal": temporal,
      "temporal-stack:postgres": undefined,
      "temporal-stack:clients": [{ namespace: "shop" }],
    };
    const deployment = await deployStack("dev", { changes });
    const connection = objectsOf(deployment, "ConfigMap").find(
      ({ inputs }) => at(inputs, "metadata", "namespace") === "shop",
    );
    assert.deepEqual(mappingAt(connection?.inputs, "data"), {
      TEMPORAL_ADDRESS: "temporal.example.com:7233",
      TEMPORAL_NAMESPACE: "orders",
      TEMPORAL_TLS: "true",
      TEMPORAL_TLS_SERVER_NAME: "temporal.example.com",
    });
  });
});
