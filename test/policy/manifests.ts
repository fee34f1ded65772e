import { isMapping, type Mapping } from "../../settings/mapping";
import { type Resource, type Subject, subjectOfObject, subjectOfResource } from "../../policy/subject";

/*
 * Objects that keep every policy. Cases change one thing at a time.
 */

/** A copy with another value at a path; undefined takes away what is there. */
export function changed(value: Mapping, path: string, replacement: unknown): Mapping {
  const copy = { ...value };
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  let holder: object = copy;
  for (const part of parts) {
    const inner: unknown = Reflect.get(holder, part);
    const next: object = Array.isArray(inner)
      ? Array.from<unknown>(inner)
      : isMapping(inner)
        ? { ...inner }
        : {};
    Reflect.set(holder, part, next);
    holder = next;
  }
  Reflect.set(holder, last, replacement);
  return copy;
}

const IDENTITY = {
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "temporal-stack",
  "temporal-stack/stack": "prod",
  owner: "platform",
};
const POD_LABELS = { "app.kubernetes.io/name": "temporal-worker", "app.kubernetes.io/component": "worker" };

function metadata(name: string): Mapping {
  return { name, namespace: "workers", labels: IDENTITY };
}

const CONTAINER: Mapping = {
  name: "worker",
  image: `registry.example.com:5000/worker:1.2.3@sha256:${"1".repeat(64)}`,
  env: [{ name: "NODE_OPTIONS", value: "--max-old-space-size-percentage=40" }],
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    privileged: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
  readinessProbe: { httpGet: { path: "/readyz", port: 8080 } },
  livenessProbe: { httpGet: { path: "/livez", port: 8080 } },
};

const POD: Mapping = {
  serviceAccountName: "worker",
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 60,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
  topologySpreadConstraints: [{ topologyKey: "kubernetes.io/hostname", maxSkew: 1 }],
  containers: [CONTAINER],
  volumes: [{ name: "tmp", emptyDir: { sizeLimit: "16Mi" } }],
};

export const DEPLOYMENT: Mapping = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: metadata("worker"),
  spec: {
    replicas: 2,
    selector: { matchLabels: POD_LABELS },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
    template: { metadata: { labels: POD_LABELS }, spec: POD },
  },
};
export const AUTOSCALED = changed(DEPLOYMENT, "spec.replicas", undefined);
export const AUTOSCALER: Mapping = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: metadata("worker"),
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "worker" },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [{ type: "Resource" }],
  },
};
export const BUDGET: Mapping = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: metadata("worker"),
  spec: { maxUnavailable: 1, selector: { matchLabels: POD_LABELS } },
};
export const JOB: Mapping = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: metadata("job"),
  spec: { activeDeadlineSeconds: 600, backoffLimit: 3, template: { spec: POD } },
};
export const CRON_JOB: Mapping = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: metadata("schedule"),
  spec: { concurrencyPolicy: "Forbid", jobTemplate: { spec: JOB["spec"] } },
};
export const POLICY: Mapping = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: metadata("deny"),
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
};
export const CILIUM_POLICY: Mapping = {
  apiVersion: "cilium.io/v2",
  kind: "CiliumNetworkPolicy",
  metadata: metadata("api"),
  spec: { endpointSelector: {} },
};
export const NAMESPACE: Mapping = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: "workers",
    labels: { ...IDENTITY, "pod-security.kubernetes.io/enforce": "restricted" },
  },
};
export const SERVICE: Mapping = {
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata("frontend"),
  spec: { type: "ClusterIP", ports: [{ port: 7233 }] },
};
export const INGRESS: Mapping = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: metadata("web"),
  spec: { rules: [{ host: "ui.example.com" }], tls: [{ hosts: ["ui.example.com"], secretName: "tls" }] },
};
export const CONFIG_MAP: Mapping = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadata("config"),
  data: { LOG_LEVEL: "info", CODEC_KEYS_DIR: "/keys", NODE_OPTIONS: "--max-old-space-size=128" },
};
export const ROLE: Mapping = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: metadata("reader"),
  rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: ["tls"], verbs: ["get"] }],
};
export const BINDING: Mapping = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: metadata("reader"),
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
  subjects: [{ kind: "ServiceAccount", name: "worker", namespace: "workers" }],
};
export const ACCOUNT: Mapping = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: metadata("worker"),
  automountServiceAccountToken: false,
};
export const CLUSTER: Mapping = {
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Cluster",
  metadata: metadata("pg"),
  spec: {
    instances: 3,
    imageName: `postgres:16@sha256:${"2".repeat(64)}`,
    enableSuperuserAccess: false,
    stopDelay: 1800,
    resources: CONTAINER["resources"],
    plugins: [
      {
        name: "barman-cloud.cloudnative-pg.io",
        isWALArchiver: true,
        parameters: { barmanObjectName: "pg-backup", serverName: "pg" },
      },
    ],
    postgresql: {
      pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"],
      synchronous: { method: "any", number: 1, dataDurability: "required" },
    },
  },
};
export const SCHEDULED_BACKUP: Mapping = {
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "ScheduledBackup",
  metadata: metadata("pg"),
  spec: { schedule: "0 0 3 * * *", method: "plugin", cluster: { name: "pg" } },
};
export const OBJECT_STORE: Mapping = {
  apiVersion: "barmancloud.cnpg.io/v1",
  kind: "ObjectStore",
  metadata: metadata("pg-backup"),
  spec: { configuration: { destinationPath: "s3://backups/prod" }, retentionPolicy: "30d" },
};
export const DATABASE: Mapping = {
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Database",
  metadata: metadata("temporal"),
  spec: { databaseReclaimPolicy: "retain", cluster: { name: "pg" } },
};
const ROLE_VALUES: Mapping = {
  replicaCount: 2,
  resources: CONTAINER["resources"],
  containerSecurityContext: CONTAINER["securityContext"],
  topologySpreadConstraints: POD["topologySpreadConstraints"],
  podDisruptionBudget: { maxUnavailable: 1 },
};
const IMAGE = { repository: "temporalio/server", tag: `1.31.2@sha256:${"3".repeat(64)}` };
/** Inputs of the release of the Temporal chart. */
export const RELEASE: Mapping = {
  chart: "temporal",
  name: "temporal",
  namespace: "workers",
  version: "1.6.0",
  timeout: 900,
  values: {
    schema: { ...ROLE_VALUES, securityContext: POD["securityContext"] },
    admintools: { ...ROLE_VALUES, image: IMAGE, securityContext: POD["securityContext"] },
    web: {
      ...ROLE_VALUES,
      image: IMAGE,
      securityContext: POD["securityContext"],
      ingress: { enabled: true, hosts: ["ui.example.com/"], tls: [{ hosts: ["ui.example.com"] }] },
    },
    server: {
      image: IMAGE,
      securityContext: POD["securityContext"],
      config: {
        persistence: {
          default: { sql: { existingSecret: "login", secretKey: "password", user: "temporal" } },
        },
      },
      frontend: ROLE_VALUES,
      history: ROLE_VALUES,
      matching: ROLE_VALUES,
      worker: { ...ROLE_VALUES, readinessProbe: { tcpSocket: { port: "membership" } } },
    },
  },
};
/** Inputs of the release of the operator's chart. */
export const OPERATOR: Mapping = {
  ...RELEASE,
  chart: "cloudnative-pg",
  name: "cnpg",
  values: {
    replicaCount: 2,
    image: IMAGE,
    resources: CONTAINER["resources"],
    topologySpreadConstraints: POD["topologySpreadConstraints"],
  },
};

/** Something that is no Kubernetes object, by type and inputs. */
export function resource(type: string, inputs: Mapping, protect = false): Subject {
  return subjectOfResource({
    name: "resource",
    urn: "urn:resource",
    type,
    inputs,
    protect,
  } satisfies Resource);
}

export const release = (inputs: Mapping) => resource("kubernetes:helm.sh/v3:Release", inputs);

/** A Kubernetes object as the program declares it. */
export function declared(object: Mapping, protect = false): Subject {
  return resource(`kubernetes:some/v1:${String(object["kind"])}`, object, protect);
}

/** A Kubernetes object as it runs. */
export function running(object: Mapping): Subject {
  const subject = subjectOfObject(object);
  if (subject === undefined) throw new Error("not a Kubernetes object");
  return subject;
}
