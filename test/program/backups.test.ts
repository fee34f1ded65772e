import assert from "node:assert/strict";
import { deployerClusterRules, deployerNamespaceRules } from "../../components/manifests/deployer";
import { evaluate } from "../../policy/evaluate";
import { subjectOfResource } from "../../policy/subject";
import { openApiProblems } from "../../settings/openapi/validate";
import { parseSettings } from "../../settings/settings";
import type { Deployment, Registration, Values } from "../harness";
import { pem } from "../fixtures/certificates";
import { connects, type PodParty } from "../support/networkPolicyRules";
import { podsOf } from "./pods";
import { at, deployStack, engineConfig, listAt, mappingAt, objectsOf, stackConfig } from "./stack";

const KEY = "temporal-stack:postgres";
const CREDENTIALS = { accessKeyId: "AKIDPLAIN", secretAccessKey: "hunter2-secret" };
const STORE = { type: "s3", bucket: "acme-backups", region: "eu-west-1", credentials: CREDENTIALS };

const withPostgres = (changes: Values): Values => ({
  [KEY]: { ...mappingAt(stackConfig("prod"), KEY), ...changes },
});
const withBackup = (backup: Values = {}, changes: Values = {}): Values =>
  withPostgres({ backup: { store: STORE, ...backup }, ...changes });
const RESTORED = withBackup(
  {},
  { generation: 2, restore: { fromGeneration: 1, targetTime: "2026-11-28T10:15:00Z" } },
);

function find({ registrations }: Deployment, name: string): Registration {
  const found = registrations.find((registration) => registration.name === name);
  assert.ok(found, name);
  return found;
}

const specOf = (deployment: Deployment, name: string) => mappingAt(find(deployment, name).inputs, "spec");

describe("backups of Postgres", () => {
  let deployment: Deployment;

  before(async () => {
    deployment = await deployStack("prod", { changes: withBackup() });
  });

  it("come in the order plugin, store, cluster, databases, schedule", () => {
    const needs = (name: string) => find(deployment, name).dependencies.join("\n");
    assert.match(needs("barman-plugin"), /Job::postgres-operator-gate/);
    assert.match(needs("postgres-backup"), /Release::barman-plugin-release/);
    assert.match(needs("postgres"), /ObjectStore::postgres-backup-object-store/);
    assert.match(needs("postgres-database-default"), /Cluster::postgres-cluster/);
    assert.match(needs("postgres-backups"), /Database::postgres-database-visibility/);
  });

  it("archive into a folder of the cluster's own, at once, and for as long as the settings say", () => {
    const cluster = specOf(deployment, "postgres-cluster");
    assert.deepEqual(listAt(cluster, "plugins"), [
      {
        name: "barman-cloud.cloudnative-pg.io",
        isWALArchiver: true,
        parameters: { barmanObjectName: "temporal-pg-backup", serverName: "temporal-pg" },
      },
    ]);
    assert.equal(at(cluster, "postgresql", "parameters", "archive_timeout"), "300s");
    const store = specOf(deployment, "postgres-backup-object-store");
    assert.equal(at(store, "configuration", "destinationPath"), "s3://acme-backups/prod");
    assert.equal(at(store, "configuration", "data", "immediateCheckpoint"), true);
    assert.equal(at(store, "retentionPolicy"), "30d");
    const schedule = specOf(deployment, "postgres-backups-schedule");
    assert.equal(schedule["schedule"], "0 0 2 * * *");
    assert.equal(schedule["method"], "plugin");
    assert.equal(schedule["immediate"], true);
    assert.equal(schedule["suspend"], false);
  });

  it("keep the login out of every other resource, and there as a secret", () => {
    const plain = deployment.registrations
      .filter(({ inputs }) => /AKIDPLAIN|hunter2/.test(JSON.stringify(inputs)))
      .map(({ name, secretPaths }) => [name, secretPaths]);
    assert.deepEqual(plain, [["postgres-backup-secret", ["stringData"]]]);
    assert.doesNotMatch(JSON.stringify(deployment.outputs), /AKIDPLAIN|hunter2/);
  });

  it("keep the policies, but for images whose digest nobody knows", () => {
    const subjects = deployment.registrations
      .filter(({ custom }) => custom)
      .map(({ name, type, inputs, protect }) => subjectOfResource({ name, type, inputs, protect }));
    const { findings } = evaluate(subjects, { stack: "prod", today: "2026-11-29" });
    const found = findings
      .filter(({ resource }) => /postgres|barman/.test(resource))
      .map(({ policy, resource }) => `${policy} ${resource}`);
    assert.deepEqual(found, ["image-digest barman-plugin-release"]);
  });

  it("restore under the same policies", async () => {
    const { registrations } = await deployStack("prod", { changes: RESTORED });
    const subjects = registrations
      .filter(({ custom }) => custom)
      .map(({ name, type, inputs, protect }) => subjectOfResource({ name, type, inputs, protect }));
    const { findings } = evaluate(subjects, { stack: "prod", today: "2026-11-29" });
    const about = findings.filter(({ policy }) => ["postgres-backup", "protected-data"].includes(policy));
    assert.deepEqual(about, []);
  });

  it("are within the deployer's permissions", () => {
    const store = { type: "s3", bucket: "acme-backups", credentials: IDENTITY };
    const config = { ...stackConfig("prod"), ...withBackup({ store }) };
    const settings = parseSettings({
      stack: "prod",
      stackFile: "Pulumi.prod.yaml",
      config: engineConfig(config),
      secretKeys: [],
    });
    const may = (namespace: string) =>
      deployerNamespaceRules(settings, namespace).flatMap(({ apiGroups, resources, verbs }) =>
        verbs.includes("create") ? resources.map((resource) => `${resource}.${apiGroups.join()}`) : [],
      );
    for (const kind of [
      "backups.postgresql.cnpg.io",
      "scheduledbackups.postgresql.cnpg.io",
      "objectstores.barmancloud.cnpg.io",
    ])
      assert.ok(may("temporal").includes(kind), kind);
    for (const kind of [
      "certificates.cert-manager.io",
      "issuers.cert-manager.io",
      "leases.coordination.k8s.io",
    ])
      assert.ok(may("cnpg-system").includes(kind), kind);
    const bound = deployerClusterRules(settings).find(({ verbs }) => verbs.includes("bind"))?.resourceNames;
    assert.ok(bound?.includes("plugin-barman-cloud"));
  });

  it("open the plugin to the operator and the store to the instances, and nothing else", () => {
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const pods = podsOf(deployment);
    const plugin = pods.find(({ name }) => name === "backup-plugin");
    const operator = pods.find(({ name }) => name === "operator");
    const instance = pods.find(({ name }) => name === "instance");
    assert.ok(plugin && operator && instance);
    const stranger: PodParty = { name: "stranger", namespace: "default", labels: {} };
    assert.ok(connects(policies, operator, plugin, 9090, "TCP"));
    assert.ok(!connects(policies, operator, plugin, 8081, "TCP"));
    assert.ok(!connects(policies, instance, plugin, 9090, "TCP"));
    assert.ok(!connects(policies, stranger, plugin, 9090, "TCP"));
  });
});

const IDENTITY = {
  workloadIdentity: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x" } },
};

describe("stores of backups", () => {
  const stores: readonly [title: string, backup: Values, configuration: Values][] = [
    [
      "S3 by a Secret, with a server of one's own",
      {
        store: {
          type: "s3",
          bucket: "backups",
          prefix: "eu/prod",
          endpoint: "https://s3.example.com:9443",
          ca: pem("ca.crt"),
          credentials: { secret: { name: "backup-login", regionKey: "REGION" } },
        },
        encryption: "AES256",
      },
      {
        destinationPath: "s3://backups/eu/prod",
        endpointURL: "https://s3.example.com:9443",
        endpointCA: { name: "temporal-pg-backup", key: "ca.crt" },
        s3Credentials: {
          accessKeyId: { name: "backup-login", key: "ACCESS_KEY_ID" },
          secretAccessKey: { name: "backup-login", key: "SECRET_ACCESS_KEY" },
          region: { name: "backup-login", key: "REGION" },
        },
      },
    ],
    [
      "S3 by workload identity",
      { store: { type: "s3", bucket: "backups", credentials: IDENTITY } },
      { destinationPath: "s3://backups/prod", s3Credentials: { inheritFromIAMRole: true } },
    ],
    [
      "Google Cloud Storage by a secret of Pulumi's",
      { store: { type: "gcs", bucket: "backups", credentials: { applicationCredentials: '{"type":"x"}' } } },
      {
        destinationPath: "gs://backups/prod",
        googleCredentials: {
          applicationCredentials: { name: "temporal-pg-backup", key: "applicationCredentials" },
        },
      },
    ],
    [
      "Google Cloud Storage by workload identity",
      { store: { type: "gcs", bucket: "backups", credentials: { workloadIdentity: {} } } },
      { destinationPath: "gs://backups/prod", googleCredentials: { gkeEnvironment: true } },
    ],
    [
      "Azure by a key",
      {
        store: {
          type: "azure",
          account: "acme",
          container: "backups",
          credentials: { storageKey: "hunter2" },
        },
      },
      {
        destinationPath: "https://acme.blob.core.windows.net/backups/prod",
        azureCredentials: {
          storageAccount: { name: "temporal-pg-backup", key: "storageAccount" },
          storageKey: { name: "temporal-pg-backup", key: "storageKey" },
        },
      },
    ],
    [
      "Azure by workload identity",
      {
        store: {
          type: "azure",
          account: "acme",
          container: "backups",
          credentials: { workloadIdentity: {} },
        },
      },
      {
        destinationPath: "https://acme.blob.core.windows.net/backups/prod",
        azureCredentials: { inheritFromAzureAD: true },
      },
    ],
  ];
  for (const [title, backup, configuration] of stores) {
    it(`${title}: objects that the API server takes`, async () => {
      const deployment = await deployStack("prod", { changes: withPostgres({ backup }) });
      for (const { inputs } of objectsOf(deployment)) assert.deepEqual(openApiProblems(inputs), []);
      const { wal, data, ...found } = mappingAt(
        specOf(deployment, "postgres-backup-object-store"),
        "configuration",
      );
      assert.deepEqual(found, configuration);
      const encryption = backup["encryption"];
      for (const part of [wal, data]) assert.equal(at(part, "encryption"), encryption);
    });
  }

  it("give the instances the identity that the cloud knows", async () => {
    const deployment = await deployStack("prod", {
      changes: withPostgres({ backup: { store: { type: "s3", bucket: "backups", credentials: IDENTITY } } }),
    });
    assert.deepEqual(
      at(specOf(deployment, "postgres-cluster"), "serviceAccountTemplate", "metadata", "annotations"),
      IDENTITY.workloadIdentity.annotations,
    );
    assert.ok(!deployment.registrations.some(({ name }) => name === "postgres-backup-secret"));
  });
});

describe("generations of Postgres", () => {
  it("restore beside the former one, which sleeps unprotected and stays when it goes", async () => {
    const deployment = await deployStack("prod", { changes: RESTORED });
    for (const { inputs } of objectsOf(deployment)) assert.deepEqual(openApiProblems(inputs), []);
    const restored = find(deployment, "postgres-cluster-2");
    assert.equal(at(restored.inputs, "metadata", "name"), "temporal-pg-2");
    assert.ok(restored.protect);
    const spec = mappingAt(restored.inputs, "spec");
    assert.deepEqual(at(spec, "bootstrap"), {
      recovery: {
        source: "origin",
        database: "temporal",
        owner: "temporal",
        recoveryTarget: { targetTime: "2026-11-28T10:15:00Z" },
      },
    });
    assert.equal(at(spec, "externalClusters", 0, "plugin", "parameters", "serverName"), "temporal-pg");
    assert.equal(at(spec, "plugins", 0, "parameters", "serverName"), "temporal-pg-2");

    const former = find(deployment, "postgres-cluster");
    assert.equal(at(former.inputs, "metadata", "annotations", "cnpg.io/hibernation"), "on");
    assert.deepEqual([former.protect, former.retainOnDelete], [false, true]);
    assert.equal(specOf(deployment, "postgres-backups-schedule")["suspend"], true);
    assert.equal(specOf(deployment, "postgres-backups-schedule-2")["suspend"], false);

    const release = JSON.stringify(find(deployment, "temporal-release").inputs);
    assert.match(release, /temporal-pg-2-rw\.temporal\.svc/);
    assert.match(release, /temporal-pg-2-ca/);
    assert.doesNotMatch(release, /temporal-pg-rw/);
    assert.deepEqual(
      objectsOf(deployment, "Secret").flatMap(({ inputs }) =>
        String(at(inputs, "metadata", "name")).includes("-login-") ? [at(inputs, "metadata", "name")] : [],
      ),
      ["temporal-pg-login-a", "temporal-pg-login-b"],
    );
  });

  it("leave Temporal where it is while the new one is filled, both awake", async () => {
    const changes = withPostgres({ ...mappingAt(RESTORED, KEY), serving: 1 });
    const deployment = await deployStack("prod", { changes });
    for (const name of ["postgres-cluster", "postgres-cluster-2"]) {
      const { inputs, protect } = find(deployment, name);
      assert.equal(at(inputs, "metadata", "annotations", "cnpg.io/hibernation"), undefined);
      assert.ok(protect);
    }
    assert.match(
      JSON.stringify(find(deployment, "temporal-release").inputs),
      /temporal-pg-rw\.temporal\.svc/,
    );
  });

  it("let the former one go", async () => {
    const changes = withBackup(
      {},
      { generation: 2, restore: { fromGeneration: 1, backupId: "20261128T020000", keepFormer: false } },
    );
    const deployment = await deployStack("prod", { changes });
    const clusters = objectsOf(deployment, "Cluster");
    assert.equal(clusters.length, 1);
    assert.deepEqual(at(clusters[0]?.inputs, "spec", "bootstrap", "recovery", "recoveryTarget"), {
      backupID: "20261128T020000",
      targetImmediate: true,
    });
  });

  it("are reached by the server, each", async () => {
    const deployment = await deployStack("prod", { changes: RESTORED });
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const pods = podsOf(deployment);
    const history = pods.find(({ name }) => name === "history");
    const instances = pods.filter(({ name }) => name === "instance");
    assert.ok(history);
    assert.equal(instances.length, 2);
    for (const instance of instances) assert.ok(connects(policies, history, instance, 5432, "TCP"));
    const [first, second] = instances;
    assert.ok(first && second && !connects(policies, first, second, 5432, "TCP"));
  });

  it("go the way that the guards leave open, and back", async () => {
    const step = async (changes: Values, stackOutputs: Values) =>
      (await deployStack("prod", { changes, stackOutputs })).outputs;
    const first = (await deployStack("prod", { changes: withBackup() })).outputs;
    const beside = await step(withPostgres({ ...mappingAt(RESTORED, KEY), serving: 1 }), first);
    const switched = await step(RESTORED, beside);
    await step(withPostgres({ ...mappingAt(RESTORED, KEY), serving: 1 }), switched);
    await assert.rejects(
      step(withBackup(), switched),
      /generation: deployed is 2, found 1; it never goes down/,
    );
    await assert.rejects(
      step(withBackup({}, { generation: 2, restore: { fromGeneration: 1 } }), switched),
      /restore: generation 2 was made by another restore.*set postgres\.generation to 3/,
    );
    await assert.rejects(
      step(withBackup({}, { generation: 3, restore: { fromGeneration: 1 } }), first),
      /goes up by one at a time: set 2/,
    );
    const without = (await deployStack("prod")).outputs;
    await assert.rejects(step(RESTORED, without), /generation 1 has no backups to restore/);
  });
});

describe("guards of backups", () => {
  let outputs: Values;
  const change = (backup: Values | undefined, changes: Values = {}) =>
    deployStack("prod", {
      changes: backup === undefined ? {} : { ...withBackup(backup), ...changes },
      stackOutputs: outputs,
    });

  before(async () => {
    ({ outputs } = await deployStack("prod", { changes: withBackup() }));
  });

  it("shorten a retention only if the very number is acknowledged", async () => {
    await assert.rejects(
      change({ retentionDays: 14 }),
      /deployed is 30, found 14; .*shortenRetentionToDays: 14/,
    );
    await assert.rejects(change({ retentionDays: 14, shortenRetentionToDays: 7 }), /found 14/);
    await change({ retentionDays: 14, shortenRetentionToDays: 14 });
    await change({ retentionDays: 60 });
  });

  it("change the store only if the former one is acknowledged", async () => {
    const store = { ...STORE, bucket: "other" };
    await assert.rejects(
      change({ store }),
      /deployed is s3:\/\/acme-backups\/prod, found s3:\/\/other\/prod; .*moveStoreFrom: s3:\/\/acme-backups\/prod/,
    );
    await assert.rejects(change({ store: { ...STORE, prefix: "else" } }), /found s3:\/\/acme-backups\/else/);
    await change({ store, moveStoreFrom: "s3://acme-backups/prod" });
  });

  it("give backups up only where the stack may be thrown away", async () => {
    await assert.rejects(change(undefined), /postgres\.backup: deployed is .*, found nothing/);
    await deployStack("prod", {
      changes: { "temporal-stack:deletionProtection": "false" },
      stackOutputs: outputs,
    });
  });
});
