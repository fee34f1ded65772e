import assert from "node:assert/strict";
import { deployerObjects } from "../../components/manifests/deployer";
import { stackLabels } from "../../components/manifests/labels";
import { OPERATOR_PERMISSIONS } from "../../components/manifests/operatorPermissions";
import { RESTRICTED_NAMESPACE } from "../../components/manifests/podSecurity";
import { ADMINISTRATOR, ApiServer, type ApiUser } from "../support/apiServer";
import { eventually } from "../support/eventually";
import { OPERATOR_CHART_OBJECTS } from "../support/operatorCharts";
import { stackSettings } from "../support/stackSettings";

const RBAC = "rbac.authorization.k8s.io";
const OPERATOR = "cnpg-cloudnative-pg";
const deployer: ApiUser = { name: "deployer", groups: ["deployers"] };
/** Deploys the stack, and the client beside. */
const owner: ApiUser = { name: "owner", groups: ["deployers"] };

const CLIENT = "shop";
const settings = stackSettings("prod", {
  clients: [{ namespace: CLIENT, payloadKeys: "temporal-keys" }],
  certManager: { install: true },
  postgres: {
    mode: "cluster",
    ...{ maxConnections: 600, storage: { size: "50Gi" } },
    backup: {
      store: { type: "s3", bucket: "backups", credentials: { secret: { name: "store" } } },
      plugin: { install: true },
    },
  },
});

const clusterRole = (name: string, changes: object = {}) => ({
  apiVersion: `${RBAC}/v1`,
  kind: "ClusterRole",
  metadata: { name },
  rules: [
    ...(name === OPERATOR ? OPERATOR_PERMISSIONS : []),
    { apiGroups: ["postgresql.cnpg.io"], resources: ["clusters", "poolers"], verbs: ["deletecollection"] },
  ],
  ...changes,
});
const binding = (name: string, roleRef: object, subject: object) => ({
  apiVersion: `${RBAC}/v1`,
  kind: "ClusterRoleBinding",
  metadata: { name },
  roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: OPERATOR, ...roleRef },
  subjects: [{ kind: "ServiceAccount", name: OPERATOR, namespace: "cnpg-system", ...subject }],
});
const resourceType = (group: string, changes: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `clusters.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { kind: "Cluster", plural: "clusters" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    ...changes,
  },
});
const webhookService = { name: "cnpg-webhook-service", namespace: "cnpg-system", path: "/mutate" };
const webhook = (name: string, apiGroup: string, clientConfig: object = { service: webhookService }) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name },
  webhooks: [
    {
      name: "mcluster.cnpg.io",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig,
      rules: [
        { apiGroups: [apiGroup], apiVersions: ["v1"], operations: ["CREATE"], resources: ["clusters"] },
      ],
    },
  ],
});
const WEBHOOK = "cnpg-mutating-webhook-configuration";

const pod = (namespace: string, securityContext: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "root", namespace },
  spec: { containers: [{ name: "root", image: "example.com/root:1", securityContext }] },
});

const clientObject = (kind: "ConfigMap" | "Secret", name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: CLIENT },
  ...more,
});
const ACCOUNT_ANNOTATION = { "kubernetes.io/service-account.name": "default" };

/** What the charts make outside namespaces, in the order in which Helm does. */
const OPERATOR_OBJECTS = [
  resourceType("postgresql.cnpg.io"),
  clusterRole(OPERATOR),
  clusterRole(`${OPERATOR}-view`),
  clusterRole(`${OPERATOR}-edit`),
  binding(OPERATOR, {}, {}),
  webhook(WEBHOOK, "postgresql.cnpg.io"),
];

describe("a deployer before a real API server", () => {
  let server: ApiServer;
  const as = (user: ApiUser, args: readonly string[], input?: object) => server.kubectl(user, args, input);

  before(async () => {
    server = await ApiServer.start(deployer, owner);
    const inClient = ["--namespace", CLIENT];
    for (const args of [
      ["create", "namespace", CLIENT],
      ["create", "secret", "generic", "database", ...inClient],
      ["create", "role", "owner", "--verb=*", "--resource=configmaps,secrets", ...inClient],
      ["create", "rolebinding", "owner", "--role=owner", `--user=${owner.name}`, ...inClient],
    ]) {
      const { exitCode, output } = await as(ADMINISTRATOR, args);
      assert.equal(exitCode, 0, output);
    }
    const items = deployerObjects(settings, { kind: "Group", name: "deployers" });
    const list = { apiVersion: "v1", kind: "List", items };
    const applied = await as(ADMINISTRATOR, ["apply", "--server-side", "--filename", "-"], list);
    assert.equal(applied.exitCode, 0, applied.output);
    await eventually("the admission policies are in force", async () => {
      const attempt = ["create", "--dry-run=server", "--filename", "-"];
      const { output } = await as(deployer, attempt, clusterRole("any"));
      if (!output.includes("a deployer writes no ClusterRoles")) return false;
      const other = await as(deployer, attempt, clientObject("Secret", "other"));
      return other.output.includes("a deployer writes nothing");
    });
  });

  after(() => server.stop());

  async function succeeds(args: readonly string[], input?: object): Promise<void> {
    const { exitCode, output } = await as(deployer, args, input);
    assert.equal(exitCode, 0, `${args.join(" ")} ${JSON.stringify(input)}: ${output}`);
  }

  it("installs, upgrades and takes away what the operator's chart makes outside namespaces", async () => {
    for (const object of OPERATOR_OBJECTS) await succeeds(["create", "--filename", "-"], object);
    for (const { kind, metadata, ...rest } of OPERATOR_OBJECTS) {
      const labels = { "helm.sh/chart": "cloudnative-pg-0.29.1" };
      await succeeds(["apply", "--server-side", "--force-conflicts", "--filename", "-"], {
        ...rest,
        kind,
        metadata: { ...metadata, labels },
      });
    }
    // Resource types stay, with all objects of them.
    for (const { kind, metadata } of OPERATOR_OBJECTS.slice(1))
      await succeeds(["delete", kind, metadata.name]);
    for (const object of OPERATOR_OBJECTS.slice(1)) await succeeds(["create", "--filename", "-"], object);
  });

  it("installs, upgrades and takes away cert-manager and the plugin for backups", async () => {
    const list = { apiVersion: "v1", kind: "List", items: OPERATOR_CHART_OBJECTS };
    const types = ["cert-manager.io", "acme.cert-manager.io", "barmancloud.cnpg.io"].map((group) =>
      resourceType(group),
    );
    for (const type of types) await succeeds(["create", "--filename", "-"], type);
    await succeeds(["create", "--filename", "-"], list);
    const labelled = OPERATOR_CHART_OBJECTS.map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, labels: { "helm.sh/chart": "new" } },
    }));
    await succeeds(["apply", "--server-side", "--force-conflicts", "--filename", "-"], {
      ...list,
      items: labelled,
    });
    await succeeds(["delete", "--wait=false", "--filename", "-"], list);
    await succeeds(["create", "--filename", "-"], list);
  });

  it("writes the two objects of a client's namespace, and takes them away", async () => {
    for (const [kind, name, more] of [
      ["ConfigMap", "temporal-connection", { data: { TEMPORAL_ADDRESS: "a" } }],
      ["Secret", "temporal-keys", { type: "Opaque", stringData: { "key-1": "b" } }],
    ] as const) {
      const object = clientObject(kind, name, more);
      await succeeds(["apply", "--server-side", "--filename", "-"], object);
      await succeeds(["get", kind, name, "--namespace", CLIENT]);
      await succeeds(["label", kind, name, "a=b", "--namespace", CLIENT]);
      await succeeds(["delete", "--wait=false", kind, name, "--namespace", CLIENT]);
      await succeeds(["create", "--filename", "-"], object);
    }
    await succeeds(["get", "namespace", CLIENT]);
  });

  it("does not bind who has permissions of his own in a client's namespace", async () => {
    for (const object of [
      clientObject("ConfigMap", "shop"),
      clientObject("Secret", "shop-tls", {
        type: "kubernetes.io/basic-auth",
        stringData: { username: "a", password: "b" },
      }),
    ]) {
      const { exitCode, output } = await as(owner, ["create", "--filename", "-"], object);
      assert.equal(exitCode, 0, output);
    }
  });

  it("lays the stack's labels over its namespaces", async () => {
    for (const labels of [
      { ...stackLabels(settings), ...RESTRICTED_NAMESPACE },
      { ...stackLabels(settings), ...RESTRICTED_NAMESPACE, "temporal-stack/stack": "renamed" },
    ])
      await succeeds(["apply", "--server-side", "--force-conflicts", "--filename", "-"], {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "temporal", labels, annotations: { "pulumi.com/patchForce": "true" } },
      });
  });

  const write = ["apply", "--server-side", "--force-conflicts", "--field-manager=other", "--filename", "-"];
  const create = ["create", "--filename", "-"];
  const everything = { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] };
  const self = { kind: "User", apiGroup: RBAC, name: deployer.name, namespace: undefined };
  const secrets = { rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["*"] }] };
  const urls = { rules: [{ nonResourceURLs: ["/*"], verbs: ["get"] }] };
  const withLabel = { metadata: { name: OPERATOR, labels: { [`${RBAC}/aggregate-to-view`]: "true" } } };
  const aggregated = { aggregationRule: { clusterRoleSelectors: [{}] }, rules: null };
  const inClient = ["--namespace", CLIENT];
  const certManager = "cert-manager-controller-issuers";
  const ofPlugin = { name: "plugin-barman-cloud" };
  const privileged = "pod-security.kubernetes.io/enforce=privileged";

  const escalations: Readonly<Record<string, readonly [args: readonly string[], input?: object]>> = {
    "binds cluster-admin": [create, binding("mine", { name: "cluster-admin" }, self)],
    "binds cluster-admin by the operator's binding": [
      write,
      binding(OPERATOR, { name: "cluster-admin" }, self),
    ],
    "binds the operator's role to itself": [write, binding(OPERATOR, {}, self)],
    "binds the operator's role once more": [create, binding("mine", {}, {})],
    "binds the operator's role to another account": [write, binding(OPERATOR, {}, { name: "other" })],
    "makes a role of its own": [create, clusterRole("mine", everything)],
    "gives the operator every permission": [write, clusterRole(OPERATOR, everything)],
    "gives the operator every verb": [write, clusterRole(OPERATOR, secrets)],
    "gives the operator addresses": [write, clusterRole(`${OPERATOR}-view`, urls)],
    "adds to the permissions of others": [write, clusterRole(OPERATOR, withLabel)],
    "collects the permissions of others": [write, clusterRole(`${OPERATOR}-edit`, aggregated)],
    "changes somebody else's role": [["label", "clusterrole", "view", "a=b"]],
    "intercepts every Secret": [create, webhook("mine", "")],
    "intercepts every Secret by the operator's webhook": [write, webhook(WEBHOOK, "")],
    "sends Clusters elsewhere": [
      write,
      webhook(WEBHOOK, "postgresql.cnpg.io", { service: { ...webhookService, namespace: "temporal" } }),
    ],
    "sends Clusters to an address": [
      create,
      webhook("mine", "postgresql.cnpg.io", { url: "https://example.com" }),
    ],
    "makes a resource type of another group": [create, resourceType("example.com")],
    "converts resource types by a webhook": [
      write,
      resourceType("postgresql.cnpg.io", {
        conversion: {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "https://example.com" } },
        },
      }),
    ],
    "lets a namespace admit privileged pods": [["label", "--overwrite", "namespace", "temporal", privileged]],
    "takes Pod Security away": [["label", "namespace", "temporal", "pod-security.kubernetes.io/enforce-"]],
    "pins an old Pod Security": [
      ["label", "namespace", "temporal", "pod-security.kubernetes.io/enforce-version=v1.0"],
    ],
    "labels a namespace for other policies": [["label", "namespace", "temporal", "team=ops"]],
    "annotates a namespace for other policies": [
      ["annotate", "namespace", "temporal", "scheduler.alpha.kubernetes.io/node-selector=a=b"],
    ],
    "labels a namespace of others": [["label", "--overwrite", "namespace", "kube-system", privileged]],
    "makes a namespace": [["create", "namespace", "mine"]],
    "runs a privileged pod": [create, pod("temporal", { privileged: true })],
    "lifts its own limits": [["delete", "validatingadmissionpolicies", "--all"]],
    "reads Secrets of others": [["get", "secrets", "--namespace", "kube-system"]],
    "makes another Secret for a client": [create, clientObject("Secret", "other")],
    "makes a Secret of a generated name for a client": [
      create,
      {
        ...clientObject("Secret", ""),
        metadata: { generateName: "temporal-keys", namespace: CLIENT },
      },
    ],
    "makes another ConfigMap for a client": [create, clientObject("ConfigMap", "temporal-keys")],
    "has a client's account hand out its token": [
      create,
      clientObject("Secret", "temporal-keys", {
        type: "kubernetes.io/service-account-token",
        metadata: { name: "temporal-keys", namespace: CLIENT, annotations: ACCOUNT_ANNOTATION },
      }),
    ],
    "makes a Secret of an account of a client": [
      write,
      clientObject("Secret", "temporal-keys", {
        metadata: { name: "temporal-keys", namespace: CLIENT, annotations: ACCOUNT_ANNOTATION },
      }),
    ],
    "reads a client's Secrets": [["get", "secret", "database", ...inClient]],
    "lists a client's Secrets": [["get", "secrets", ...inClient]],
    "changes a client's Secret": [["label", "secret", "database", "a=b", ...inClient]],
    "deletes a client's Secret": [["delete", "secret", "database", ...inClient]],
    "runs a pod beside a client": [create, pod(CLIENT, {})],
    "makes an account's token in a client's namespace": [["create", "token", "default", ...inClient]],
    "labels a client's namespace": [["label", "namespace", CLIENT, "a=b"]],
    "makes a role like cert-manager's": [create, clusterRole("cert-manager-controller-mine", secrets)],
    "gives cert-manager every permission": [write, clusterRole(certManager, everything)],
    "gives cert-manager the pods": [
      write,
      clusterRole(certManager, { rules: [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }] }),
    ],
    "gives one of cert-manager's accounts what another needs": [
      write,
      clusterRole("cert-manager-view", {
        rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }],
      }),
    ],
    "gives the plugin what the operator needs": [
      write,
      clusterRole(ofPlugin.name, {
        rules: [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }],
      }),
    ],
    "binds cert-manager's role to itself": [write, binding(certManager, { name: certManager }, self)],
    "binds cert-manager's role to the plugin": [
      write,
      binding(certManager, { name: certManager }, { ...ofPlugin, namespace: "cnpg-system" }),
    ],
    "binds the plugin's role in another namespace": [
      write,
      binding("plugin-barman-cloud-binding", ofPlugin, { ...ofPlugin, namespace: "temporal" }),
    ],
    "binds cluster-admin in the plugin's namespace": [
      [
        ...["create", "rolebinding", "mine", "--clusterrole=cluster-admin"],
        ...[`--user=${deployer.name}`, "--namespace", "cnpg-system"],
      ],
    ],
    "makes a role of every permission in cert-manager's namespace": [
      create,
      {
        apiVersion: `${RBAC}/v1`,
        kind: "Role",
        metadata: { name: "mine", namespace: "cert-manager" },
        ...everything,
      },
    ],
    "intercepts Clusters by cert-manager's webhook": [
      write,
      webhook("cert-manager-webhook", "postgresql.cnpg.io"),
    ],
    "intercepts every Secret by cert-manager's webhook": [write, webhook("cert-manager-webhook", "")],
    "makes a token of an account": [["create", "token", "default", "--namespace", "temporal"]],
    "acts as somebody else": [["get", "namespace", "temporal", "--as", ADMINISTRATOR.name]],
    "approves a certificate": [["certificate", "approve", "any"]],
  };

  for (const [what, [args, input]] of Object.entries(escalations)) {
    it(`never ${what}`, async () => {
      const { exitCode, output } = await as(deployer, args, input);
      assert.notEqual(exitCode, 0, output);
      assert.match(output, /forbidden|Forbidden/, output);
      assert.doesNotMatch(output, /expression|no such key|compil/i, output);
    });
  }

  it("does not bind an administrator", async () => {
    const administrator = { ...ADMINISTRATOR };
    const label = ["label", "namespace", "temporal", "team=ops"];
    const { exitCode, output } = await as(administrator, label);
    assert.equal(exitCode, 0, output);
  });
});
