import assert from "node:assert/strict";
import { stackAccounts } from "../../components/manifests/accounts";
import { parseSettings } from "../../settings/settings";
import { FAKE_SEED } from "../emulation";
import type { Deployment, Registration } from "../harness";
import { valuesProblems } from "../local/charts/values";
import { openApiProblems } from "../../settings/openapi/validate";
import { pem } from "../fixtures/certificates";
import { podsOf, restrictedProblems } from "./pods";
import { at, deployStack, engineConfig, listAt, mappingAt, objectsOf, stackConfig, STACKS } from "./stack";

const CA = pem("ca.crt");
const SERVICE = {
  mode: "managed",
  host: "postgres.example.com",
  user: "temporal",
  password: "hunter2",
  ca: CA,
  maxConnections: 1000,
  cidrs: ["192.0.2.0/24"],
};

function find({ registrations }: Deployment, name: string): Registration {
  const found = registrations.find((registration) => registration.name === name);
  assert.ok(found, name);
  return found;
}

/** What a resource waits for, itself or through its component. */
function needs(deployment: Deployment, ...names: string[]): string {
  return names.flatMap((name) => find(deployment, name).dependencies).join("\n");
}

for (const stack of ["dev", "prod"] as const) {
  describe(`Postgres and Temporal of stack ${stack}`, () => {
    let deployment: Deployment;

    before(async () => {
      deployment = await deployStack(stack);
    });

    it("come in the order operator, webhook, cluster, databases, server, namespaces, workers", () => {
      assert.match(needs(deployment, "postgres-operator-gate"), /Release::postgres-operator-release/);
      assert.match(needs(deployment, "postgres"), /Job::postgres-operator-gate/);
      assert.match(needs(deployment, "postgres-cluster"), /Secret::database-credentials-a-secret/);
      assert.match(needs(deployment, "postgres-database-visibility"), /Cluster::postgres-cluster/);
      assert.match(needs(deployment, "temporal"), /Database::postgres-database-default/);
      assert.match(needs(deployment, "temporal-namespaces"), /Release::temporal-release/);
      assert.match(needs(deployment, "temporal-namespaces-job"), /CronJob::temporal-namespaces-schedule/);
      assert.match(needs(deployment, "worker-orders"), /Job::temporal-namespaces-job/);
    });

    it("give the charts only values that they know, and no secret", () => {
      for (const { type, inputs, secretPaths } of deployment.registrations) {
        if (type !== "kubernetes:helm.sh/v3:Release") continue;
        const chart = inputs["chart"] === "temporal" ? "temporal" : "cloudnative-pg";
        assert.deepEqual(valuesProblems(chart, inputs["values"]), []);
        assert.deepEqual(secretPaths, []);
        assert.ok(Number(inputs["timeout"]) >= 600);
        assert.match(String(inputs["version"]), /^\d+\.\d+\.\d+$/);
        for (const switched of ["disableWebhooks", "disableCRDHooks", "atomic", "skipAwait"]) {
          assert.equal(inputs[switched], undefined);
        }
      }
    });

    it("wait for what the operator makes", () => {
      const annotation = (name: string) => at(find(deployment, name).inputs, "metadata", "annotations");
      const waits = JSON.parse(String(at(annotation("postgres-cluster"), "pulumi.com/waitFor"))) as unknown;
      assert.deepEqual(waits, [
        "condition=Ready",
        "jsonpath={.status.managedRolesStatus.byStatus.reconciled}",
      ]);
      for (const database of ["default", "visibility"]) {
        const wait = at(annotation(`postgres-database-${database}`), "pulumi.com/waitFor");
        assert.equal(wait, "jsonpath={.status.applied}=true");
      }
    });

    it("let the operator see a changed password, in Secrets that stay", () => {
      for (const role of ["a", "b"]) {
        const { inputs, secretPaths } = find(deployment, `database-credentials-${role}-secret`);
        assert.equal(at(inputs, "metadata", "labels", "cnpg.io/reload"), "true");
        assert.equal(at(inputs, "metadata", "name"), `temporal-pg-login-${role}`);
        assert.deepEqual(secretPaths, ["stringData"]);
      }
      const checksum = at(find(deployment, "temporal-release").inputs, "values", "server", "podAnnotations");
      assert.match(String(at(checksum, "temporal-stack/password-checksum")), /^[0-9a-f]{64}$/);
    });

    it("run jobs that end, restricted, with the reason of a failure at hand", () => {
      for (const { inputs, registration } of objectsOf(deployment, "Job")) {
        assert.ok(Number(at(inputs, "spec", "activeDeadlineSeconds")) <= 600, registration.name);
        assert.match(registration.timeouts.create, /^\d+s$/);
        const container = at(inputs, "spec", "template", "spec", "containers", 0);
        assert.equal(at(container, "terminationMessagePolicy"), "FallbackToLogsOnError");
      }
    });
  });
}

describe("accounts of the stack", () => {
  for (const stack of STACKS) {
    it(`are those of docs/rbac.md in stack ${stack}, with no other rights`, async () => {
      const deployment = await deployStack(stack);
      const settings = parseSettings({
        stack,
        stackFile: `Pulumi.${stack}.yaml`,
        config: engineConfig(stackConfig(stack)),
        secretKeys: [],
      });
      const accounts = stackAccounts(settings);
      const found = objectsOf(deployment, "ServiceAccount").map(({ registration, inputs }) => {
        assert.equal(inputs["automountServiceAccountToken"], false);
        return { name: registration.name, namespace: at(inputs, "metadata", "namespace") };
      });
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      assert.deepEqual(
        found.sort(byName),
        accounts.map(({ name, namespace }) => ({ name, namespace })).sort(byName),
      );
      const rules = objectsOf(deployment, "Role").flatMap(({ inputs }) => listAt(inputs, "rules"));
      assert.deepEqual(
        rules,
        accounts.flatMap((account) => account.rules),
      );
      assert.deepEqual(objectsOf(deployment, "ClusterRole"), []);
    });
  }
});

describe("passwords of the database", () => {
  const credentials = (loginRole: string, a: number, b: number) => ({
    "temporal-stack:postgres": {
      ...mappingAt(stackConfig("prod"), "temporal-stack:postgres"),
      credentials: { loginRole, passwordGenerations: { a, b } },
    },
  });

  it("are protected, and the former one can go at the next change", async () => {
    const deployment = await deployStack("prod", { changes: credentials("a", 1, 3) });
    const passwords = deployment.registrations
      .filter(({ name, type }) => type.endsWith(":RandomPassword") && name.startsWith("database-"))
      .map(({ name, protect, retainOnDelete }) => [name, protect, retainOnDelete]);
    assert.deepEqual(passwords, [
      ["database-credentials-a-1", true, true],
      ["database-credentials-b-2", false, false],
      ["database-credentials-b-3", true, true],
    ]);
  });

  it("move the server to the other role with its own Secret", async () => {
    const deployment = await deployStack("prod", { changes: credentials("b", 1, 2) });
    const sql = at(
      find(deployment, "temporal-release").inputs,
      ...["values", "server", "config", "persistence", "datastores", "default", "sql"],
    );
    assert.deepEqual([at(sql, "user"), at(sql, "existingSecret")], ["temporal_b", "temporal-pg-login-b"]);
  });
});

describe("Postgres service", () => {
  const deployed = (changes: object = {}) =>
    deployStack("prod", {
      changes: { "temporal-stack:postgres": { ...SERVICE, ...changes } },
    });

  it("is tried before the server, by a restricted job that the API server takes", async () => {
    const deployment = await deployed();
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
    for (const pod of podsOf(deployment)) assert.deepEqual(restrictedProblems(pod), [], pod.name);
    assert.match(needs(deployment, "temporal"), /Job::postgres-preflight/);
    assert.match(needs(deployment, "postgres"), /NetworkPolicy::policy-preflight-postgres-egress/);
    assert.ok(!deployment.registrations.some(({ name }) => name.startsWith("postgres-operator")));
  });

  it("keeps its password in one Secret, and only there", async () => {
    const deployment = await deployed();
    const holders = deployment.registrations.filter(({ inputs }) =>
      JSON.stringify(inputs).includes("hunter2"),
    );
    assert.deepEqual(
      holders.map(({ name, secretPaths }) => [name, secretPaths]),
      [["postgres-login", ["stringData"]]],
    );
    assert.ok(!JSON.stringify(deployment.outputs).includes("hunter2"));
    assert.ok(!JSON.stringify(deployment.outputs).includes(FAKE_SEED));
  });

  it("rolls the server when the password changes, with a checksum that cannot be guessed from", async () => {
    const checksum = async (changes: object) => {
      const { inputs } = find(await deployed(changes), "temporal-release");
      return at(inputs, "values", "server", "podAnnotations", "temporal-stack/password-checksum");
    };
    const { createHash } = await import("node:crypto");
    const first = await checksum({});
    assert.notEqual(first, await checksum({ password: "other" }));
    assert.notEqual(first, createHash("sha256").update("hunter2").digest("hex"));
    const existing = { password: undefined, passwordSecret: { name: "mine", revision: "7" } };
    assert.equal(await checksum(existing), "7");
  });

  it("mounts the authority where the server, its jobs and the preflight look for it", async () => {
    const deployment = await deployed();
    const secret = find(deployment, "postgres-ca").inputs;
    assert.deepEqual(mappingAt(secret, "stringData"), { "ca.crt": CA });
    const name = at(secret, "metadata", "name");
    const values = at(find(deployment, "temporal-release").inputs, "values");
    for (const part of ["server", "admintools"]) {
      assert.equal(at(values, part, "additionalVolumes", 0, "secret", "secretName"), name);
    }
    const job = find(deployment, "postgres-preflight").inputs;
    assert.equal(at(job, "metadata", "annotations", "pulumi.com/replaceUnready"), "true");
    const volumes = listAt(job, "spec", "template", "spec", "volumes");
    assert.ok(volumes.some((volume) => at(volume, "secret", "secretName") === name));
  });

  for (const kind of ["secret", "configMap"] as const) {
    it(`mounts an authority that is there already, in a ${kind}, without what else is in it`, async () => {
      const deployment = await deployed({ ca: undefined, caFrom: { [kind]: "company-ca", key: "root.pem" } });
      assert.ok(!deployment.registrations.some(({ name }) => name === "postgres-ca"));
      const values = at(find(deployment, "temporal-release").inputs, "values");
      const job = find(deployment, "postgres-preflight").inputs;
      const volumes = [
        at(values, "server", "additionalVolumes", 0, kind),
        at(values, "admintools", "additionalVolumes", 0, kind),
        ...listAt(job, "spec", "template", "spec", "volumes").map((volume) => at(volume, kind)),
      ].filter((volume) => volume !== undefined);
      assert.equal(volumes.length, 3);
      for (const volume of volumes) {
        assert.equal(at(volume, kind === "secret" ? "secretName" : "name"), "company-ca");
        assert.deepEqual(listAt(volume, "items"), [{ key: "root.pem", path: "root.pem" }]);
      }
      const sql = ["server", "config", "persistence", "datastores", "default", "sql", "tls", "caFile"];
      assert.equal(at(values, ...sql), "/etc/temporal/postgres-ca/root.pem");
      assert.ok(JSON.stringify(job).includes("/etc/postgres-ca/root.pem"));
      assert.deepEqual(
        objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
        [],
      );
    });
  }

  it("can be previewed", async () => {
    await deployStack("prod", {
      changes: { "temporal-stack:postgres": SERVICE },
      preview: true,
    });
  });
});
