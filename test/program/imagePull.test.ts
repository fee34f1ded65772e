import assert from "node:assert/strict";
import type { Deployment, Values } from "../harness";
import { valuesProblems } from "../local/charts/values";
import { openApiProblems } from "../../settings/openapi/validate";
import { podsOf } from "./pods";
import { at, deployStack, listAt, objectsOf, type StackName, STACKS, stackConfig } from "./stack";

const codecServer = { uiOrigin: "https://temporal.example.com" };
const managed = {
  mode: "managed",
  host: "postgres.example.com",
  user: "temporal",
  passwordSecret: { name: "postgres" },
  maxConnections: 1000,
  cidrs: ["192.0.2.0/24"],
};

const deployed = (stack: StackName, imagePull: Values, changes: Values = {}) =>
  deployStack(stack, {
    changes: {
      "temporal-stack:imagePull": imagePull,
      "temporal-stack:payloadEncryption": { codecServer },
      ...changes,
    },
  });

/** The names of the Secrets with which each pod of a stack pulls, by its workload. */
function pullSecrets(deployment: Deployment): Map<string, unknown[]> {
  const names = (list: readonly unknown[]) => list.map((entry) => at(entry, "name"));
  const accounts = objectsOf(deployment, "ServiceAccount");
  const own = podsOf(deployment).flatMap(({ name, spec }) => {
    if (spec === undefined) return [];
    const account = accounts.find(({ registration, inputs }) =>
      [at(inputs, "metadata", "name"), `${registration.name}-1a2b3c4d`].includes(spec["serviceAccountName"]),
    );
    assert.ok(account, `${name}: no account ${String(spec["serviceAccountName"])}`);
    return [[name, names(listAt(account.inputs, "imagePullSecrets"))] as const];
  });
  const releases = deployment.registrations
    .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
    .map(({ name, inputs }) => [name, names(listAt(inputs, "values", "imagePullSecrets"))] as const);
  const clusters = objectsOf(deployment, "Cluster").map(
    ({ registration, inputs }) =>
      [registration.name, names(listAt(inputs, "spec", "imagePullSecrets"))] as const,
  );
  return new Map([...own, ...releases, ...clusters]);
}

describe("imagePull", () => {
  for (const stack of STACKS) {
    it(`names the Secrets to every pod, chart and Cluster of stack ${stack}`, async () => {
      const deployment = await deployed(stack, { existing: ["registry-login", "mirror-login"] });
      const found = pullSecrets(deployment);
      assert.ok(found.size >= 3);
      for (const [name, secrets] of found)
        assert.deepEqual(secrets, ["registry-login", "mirror-login"], name);
      assert.deepEqual(
        objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
        [],
      );
    });
  }

  it("reaches the preflight of a managed Postgres", async () => {
    const found = pullSecrets(
      await deployed("prod", { existing: ["registry-login"] }, { "temporal-stack:postgres": managed }),
    );
    assert.deepEqual(found.get("postgres-preflight"), ["registry-login"]);
  });

  it("makes a Secret of the login in each namespace, and keeps the password secret", async () => {
    const login = { server: "registry.example.com:5000", username: "puller", password: "hunter2" };
    const deployment = await deployed("prod", { login });
    const secrets = deployment.registrations.filter(
      ({ name, custom }) => custom && name.startsWith("image-pull"),
    );
    assert.deepEqual(
      secrets.map(({ inputs }) => [
        at(inputs, "metadata", "namespace"),
        at(inputs, "metadata", "name"),
        inputs["type"],
      ]),
      ["temporal", "cnpg-system", "temporal-workers"].map((namespace) => [
        namespace,
        "temporal-stack-image-pull",
        "kubernetes.io/dockerconfigjson",
      ]),
    );
    for (const { inputs, secretPaths } of secrets) {
      assert.deepEqual(secretPaths, ["stringData"]);
      const config: unknown = JSON.parse(String(at(inputs, "stringData", ".dockerconfigjson")));
      const auth = Buffer.from("puller:hunter2").toString("base64");
      assert.deepEqual(config, {
        auths: { "registry.example.com:5000": { username: "puller", password: "hunter2", auth } },
      });
    }
    for (const [name, names] of pullSecrets(deployment)) {
      assert.deepEqual(names, ["temporal-stack-image-pull"], name);
    }
  });

  it("comes beside the login for the workers' image, which the codec server has, too", async () => {
    const workerImage = {
      ...Object(stackConfig("prod")["temporal-stack:workerImage"]),
      pullSecret: { existing: "worker-login" },
    } as Values;
    const found = pullSecrets(
      await deployed("prod", { existing: ["registry-login"] }, { "temporal-stack:workerImage": workerImage }),
    );
    for (const name of ["worker-orders-deployment", "codec-server-deployment"]) {
      assert.deepEqual(found.get(name), ["worker-login", "registry-login"], name);
    }
  });

  it("is nowhere by default, and in values that both charts take", async () => {
    for (const names of pullSecrets(await deployed("prod", {})).values()) assert.deepEqual(names, []);
    const { registrations } = await deployed("prod", { existing: ["registry-login"] });
    for (const chart of ["temporal", "cloudnative-pg"] as const) {
      const release = registrations.find(({ inputs }) => inputs["chart"] === chart);
      assert.ok(release);
      assert.deepEqual(valuesProblems(chart, release.inputs["values"]), []);
    }
  });
});
