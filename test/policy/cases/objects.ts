import { type Subject, subjectOfConfiguration } from "../../../policy/subject";
import {
  BINDING,
  changed,
  CLUSTER,
  CONFIG_MAP,
  DATABASE,
  declared,
  DEPLOYMENT,
  INGRESS,
  JOB,
  NAMESPACE,
  OBJECT_STORE,
  CILIUM_POLICY,
  POLICY,
  RELEASE,
  release,
  resource,
  ROLE,
  SCHEDULED_BACKUP,
  SERVICE,
} from "../manifests";
import { type Case, one } from "./case";

const PROVIDER = "pulumi:providers:kubernetes";
const PASSWORD = "random:index/randomPassword:RandomPassword";
const ENVIRONMENT = "spec.template.spec.containers.0.env";
const inRelease = (path: string, value: unknown) => [release(changed(RELEASE, path, value))];
const environment = (name: string, value: string) => one(DEPLOYMENT, ENVIRONMENT, [{ name, value }]);
const wanted = (value: string) => one(JOB, ENVIRONMENT, [{ name: "WANTED_NAMESPACES", value }]);
const rule = (more: object) => [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], ...more }];

const PLUGIN = "spec.plugins.0";
const TIMEOUT = "spec.postgresql.parameters.archive_timeout";
const backedUp = ({
  cluster = [declared(CLUSTER)],
  store = [declared(OBJECT_STORE)],
  schedule = [declared(SCHEDULED_BACKUP)],
}: Partial<Record<"cluster" | "store" | "schedule", readonly Subject[]>>) => [
  ...cluster,
  ...store,
  ...schedule,
];
const BACKED_UP = backedUp({});

const withoutNamespace = (apiVersion: string, kind: string) => ({
  ...changed(changed(SERVICE, "metadata.namespace", undefined), "spec", undefined),
  apiVersion,
  kind,
});
const CLUSTER_WIDE = [
  ["v1", "PersistentVolume"],
  ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
  ["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"],
  ["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
  ["apiregistration.k8s.io/v1", "APIService"],
  ["cert-manager.io/v1", "ClusterIssuer"],
  ["external-secrets.io/v1", "ClusterSecretStore"],
  ["flowcontrol.apiserver.k8s.io/v1", "FlowSchema"],
  ["gateway.networking.k8s.io/v1", "GatewayClass"],
  ["networking.k8s.io/v1", "IngressClass"],
  ["node.k8s.io/v1", "RuntimeClass"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["scheduling.k8s.io/v1", "PriorityClass"],
  ["snapshot.storage.k8s.io/v1", "VolumeSnapshotClass"],
  ["storage.k8s.io/v1", "StorageClass"],
] as const;

/** Cases of rights, network, secrets, data, Helm and labels. */
export const objectCases: Readonly<Record<string, Case>> = {
  "no-wildcard-rights": {
    keeps: { "named rights": [declared(ROLE)] },
    breaks: {
      verbs: one(ROLE, "rules", rule({ verbs: ["*"] })),
      resources: one(ROLE, "rules", rule({ resources: ["*"] })),
      "API groups of the whole cluster": one(
        { ...ROLE, kind: "ClusterRole" },
        "rules",
        rule({ apiGroups: ["*"] }),
      ),
    },
  },
  "no-escalation": {
    keeps: { "one Secret": [declared(ROLE)], "a role of the stack": [declared(BINDING)] },
    breaks: {
      impersonation: one(ROLE, "rules", rule({ verbs: ["impersonate"] })),
      "programs in pods": one(ROLE, "rules", rule({ resources: ["pods/exec"], verbs: ["create"] })),
      "all Secrets": one(ROLE, "rules", rule({ resources: ["secrets"], verbs: ["list"] })),
      "the administrators' role": one(BINDING, "roleRef.name", "cluster-admin"),
      everybody: one(BINDING, "subjects", [{ kind: "Group", name: "system:authenticated" }]),
    },
  },
  "network-policy-peers": {
    keeps: {
      "denial of all": [declared(POLICY)],
      "peers and ports": one(POLICY, "spec.ingress", [
        { from: [{ podSelector: {} }], ports: [{ port: 80 }] },
      ]),
    },
    breaks: {
      "everybody may come in": one(POLICY, "spec.ingress", [{ ports: [{ port: 80 }] }]),
      "to any port": one(POLICY, "spec.egress", [{ to: [{ podSelector: {} }] }]),
      everything: one(POLICY, "spec.egress", [{}]),
    },
  },
  "cilium-policy-peers": {
    keeps: {
      "the API server": one(CILIUM_POLICY, "spec.egress", [
        { toEntities: ["kube-apiserver"], toPorts: [{ ports: [{ port: "6443", protocol: "TCP" }] }] },
      ]),
      endpoints: one(CILIUM_POLICY, "spec.ingress", [
        { fromEndpoints: [{ matchLabels: { app: "x" } }], toPorts: [{ ports: [{ port: "80" }] }] },
      ]),
    },
    breaks: {
      "the whole world": one(CILIUM_POLICY, "spec.egress", [
        { toEntities: ["world"], toPorts: [{ ports: [{ port: "443", protocol: "TCP" }] }] },
      ]),
      everybody: one(CILIUM_POLICY, "spec.ingress", [
        { fromEntities: ["all"], toPorts: [{ ports: [{ port: "443", protocol: "TCP" }] }] },
      ]),
      "to any port": one(CILIUM_POLICY, "spec.egress", [{ toEntities: ["kube-apiserver"] }]),
      "no peers": one(CILIUM_POLICY, "spec.ingress", [{ toPorts: [{ ports: [{ port: "80" }] }] }]),
      "a service is no peer that the rule looks at": one(CILIUM_POLICY, "spec.egress", [{}]),
    },
  },
  "ingress-tls": {
    keeps: {
      "TLS for its host": [declared(INGRESS)],
      "a chart's ingress": [release(RELEASE)],
      "a chart without one": inRelease("values.web.ingress", { enabled: false }),
    },
    breaks: {
      "no TLS": one(INGRESS, "spec.tls", undefined),
      "another host": one(INGRESS, "spec.rules", [{ host: "ui.example.com" }, { host: "other.example.com" }]),
      "any host": one(INGRESS, "spec.rules", [{}]),
      "a chart's ingress": inRelease("values.web.ingress.tls", []),
    },
  },
  "internal-services": {
    keeps: { inside: [declared(SERVICE)], "the default": one(SERVICE, "spec.type", undefined) },
    breaks: {
      "a load balancer": one(SERVICE, "spec.type", "LoadBalancer"),
      "a port of the nodes": one(SERVICE, "spec.type", "NodePort"),
      "external addresses": one(SERVICE, "spec.externalIPs", ["192.0.2.1"]),
    },
  },
  "no-secret-in-environment": {
    keeps: {
      "no secret": environment("LOG_LEVEL", "info"),
      "a switch": environment("TEMPORAL_CODEC_PASS_ACCESS_TOKEN", "true"),
      "where a secret is": environment("API_KEY_FILE", "/secrets/key"),
      "a reference": one(DEPLOYMENT, ENVIRONMENT, [
        { name: "API_KEY", valueFrom: { secretKeyRef: { name: "key" } } },
      ]),
    },
    breaks: {
      "an API key": environment("TEMPORAL_API_KEY", "hunter2-hunter2"),
      "a password": environment("PGPASSWORD", "hunter2-hunter2"),
      "a private key under any name": environment("CERT", "-----BEGIN PRIVATE KEY-----\nhunter2-hunter2"),
      "a chart's variable": inRelease("values.server.additionalEnv", [
        { name: "DB_PASSWORD", value: "hunter2-hunter2" },
      ]),
    },
  },
  "no-secret-in-config-map": {
    keeps: { settings: [declared(CONFIG_MAP)] },
    breaks: { "a token": one(CONFIG_MAP, "data.AUTH_TOKEN", "hunter2-hunter2") },
  },
  "no-secret-in-values": {
    keeps: { "names of Secrets": [release(RELEASE)] },
    breaks: {
      "a password": inRelease("values.server.config.persistence.default.sql.password", "hunter2-hunter2"),
      "deep in a list": inRelease("values.extra", [{ auth: { clientSecret: "hunter2-hunter2" } }]),
    },
  },
  "no-secret-in-settings": {
    keeps: {
      "names and numbers": [
        subjectOfConfiguration({
          "temporal-stack:postgres": { passwordGenerations: { a: 1 }, passwordSecret: { name: "pg" } },
        }),
      ],
    },
    breaks: {
      "a password": [
        subjectOfConfiguration({ "temporal-stack:registry": { login: { password: "hunter2-hunter2" } } }),
      ],
    },
  },
  "protected-data": {
    keeps: {
      "a protected database": [declared(CLUSTER, true)],
      "a protected password": [resource(PASSWORD, {}, true)],
      "nothing to lose": [declared(SERVICE)],
    },
    breaks: {
      "a database": [declared(CLUSTER)],
      "its namespace": [declared(NAMESPACE)],
      "a password": [resource(PASSWORD, {})],
      "a volume": [declared({ ...SERVICE, kind: "PersistentVolumeClaim" })],
    },
  },
  "postgres-backup": {
    keeps: {
      "archive, store and schedule": BACKED_UP,
      "a week": backedUp({ store: one(OBJECT_STORE, "spec.retentionPolicy", "1w") }),
      "the plugin's own folder": backedUp({
        cluster: one(CLUSTER, `${PLUGIN}.parameters.serverName`, undefined),
      }),
      "the operator's own pace": backedUp({ cluster: one(CLUSTER, TIMEOUT, undefined) }),
      "a quarter of an hour": backedUp({ cluster: one(CLUSTER, TIMEOUT, "15min") }),
      "a generation that sleeps": one(CLUSTER, "metadata.annotations", { "cnpg.io/hibernation": "on" }),
    },
    breaks: {
      "no schedule": backedUp({ schedule: [] }),
      "a schedule of another cluster": backedUp({
        schedule: one(SCHEDULED_BACKUP, "spec.cluster.name", "other"),
      }),
      "a suspended schedule": backedUp({ schedule: one(SCHEDULED_BACKUP, "spec.suspend", true) }),
      "a schedule without the plugin": backedUp({
        schedule: one(SCHEDULED_BACKUP, "spec.method", undefined),
      }),
      "no archive": backedUp({ cluster: one(CLUSTER, "spec.plugins", undefined) }),
      "a plugin that does not archive": backedUp({ cluster: one(CLUSTER, `${PLUGIN}.isWALArchiver`, false) }),
      "the folder of another cluster": backedUp({
        cluster: one(CLUSTER, `${PLUGIN}.parameters.serverName`, "other"),
      }),
      "no store": backedUp({ store: [] }),
      "another store": backedUp({ store: one(OBJECT_STORE, "metadata.name", "other") }),
      "six days": backedUp({ store: one(OBJECT_STORE, "spec.retentionPolicy", "6d") }),
      "no retention": backedUp({ store: one(OBJECT_STORE, "spec.retentionPolicy", undefined) }),
      "a log that waits for an hour": backedUp({ cluster: one(CLUSTER, TIMEOUT, "1h") }),
      "a log that waits for its segment": backedUp({ cluster: one(CLUSTER, TIMEOUT, "0") }),
    },
  },
  "postgres-synchronous": {
    keeps: { "three instances": [declared(CLUSTER)] },
    breaks: {
      asynchronous: one(CLUSTER, "spec.postgresql.synchronous", undefined),
      "rather available": one(CLUSTER, "spec.postgresql.synchronous.dataDurability", "preferred"),
      "two instances": one(CLUSTER, "spec.instances", 2),
    },
  },
  "postgres-access": {
    keeps: { "TLS only": [declared(CLUSTER)] },
    breaks: {
      superuser: one(CLUSTER, "spec.enableSuperuserAccess", true),
      "no TLS": one(CLUSTER, "spec.postgresql.pg_hba", ["host all all all scram-sha-256"]),
    },
  },
  "kept-databases": {
    keeps: {
      retained: [declared(DATABASE)],
      "the default": one(DATABASE, "spec.databaseReclaimPolicy", undefined),
    },
    breaks: { deleted: one(DATABASE, "spec.databaseReclaimPolicy", "delete") },
  },
  retention: {
    keeps: { "a week": wanted('[{"name":"prod","retentionDays":7}]') },
    breaks: {
      "a day": wanted('[{"name":"prod","retentionDays":1},{"name":"more","retentionDays":30}]'),
      "not JSON": wanted("prod"),
    },
  },
  "cluster-identity": {
    keeps: { "a name": [resource(PROVIDER, { clusterIdentifier: "prod", deleteUnreachable: "false" })] },
    breaks: {
      none: [resource(PROVIDER, { deleteUnreachable: "false" })],
      forgetful: [resource(PROVIDER, { clusterIdentifier: "prod", deleteUnreachable: "true" })],
    },
  },
  "helm-hooks": {
    keeps: { "hooks run": [release(RELEASE)] },
    breaks: {
      "not at installation": inRelease("disableWebhooks", true),
      "not at upgrades": inRelease("disableCRDHooks", true),
    },
  },
  "helm-version": {
    keeps: {
      "one version": [release(RELEASE)],
      "a version with a suffix": inRelease("version", "v1.6.0-rc.1"),
    },
    breaks: { none: inRelease("version", undefined), "a range": inRelease("version", "^1.6.0") },
  },
  "helm-await": {
    keeps: { "a quarter of an hour": [release(RELEASE)] },
    breaks: {
      "not awaited": inRelease("skipAwait", true),
      "a minute": inRelease("timeout", 60),
      "the default": inRelease("timeout", undefined),
    },
  },
  "helm-flags": {
    keeps: { none: [release(RELEASE)] },
    breaks: {
      deletes: inRelease("forceUpdate", true),
      forgets: inRelease("reuseValues", true),
      hides: inRelease("atomic", true),
    },
  },
  "identity-labels": {
    keeps: { all: [declared(SERVICE)], "a release has none": [release(RELEASE)] },
    breaks: {
      none: one(SERVICE, "metadata.labels", undefined),
      "no stack": one(SERVICE, "metadata.labels.temporal-stack/stack", undefined),
    },
  },
  "owner-label": {
    keeps: { owner: [declared(DEPLOYMENT)], "part of something else": one(SERVICE, "metadata.labels", {}) },
    breaks: { none: one(DEPLOYMENT, "metadata.labels.owner", undefined) },
  },
  "own-namespace": {
    keeps: {
      "its own": [declared(SERVICE)],
      "a namespace itself": [declared(NAMESPACE)],
      ...Object.fromEntries(
        CLUSTER_WIDE.map(([apiVersion, kind]) => [kind, [declared(withoutNamespace(apiVersion, kind))]]),
      ),
    },
    breaks: {
      default: one(SERVICE, "metadata.namespace", "default"),
      none: one(SERVICE, "metadata.namespace", undefined),
      "a Cluster of Postgres": [declared(withoutNamespace("postgresql.cnpg.io/v1", "Cluster"))],
      "a custom kind": [declared(withoutNamespace("cert-manager.io/v1", "Issuer"))],
      "a class of Cluster API": [declared(withoutNamespace("cluster.x-k8s.io/v1beta1", "ClusterClass"))],
    },
  },
};
