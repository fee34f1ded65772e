import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KEYRING_DIRECTORY, WORKER_UID } from "../../components/manifests/workerManifests";
import { CREDENTIALS_DIRECTORY } from "../../components/manifests/temporalCredentialsManifests";
import { TMP_DIRECTORY, WORKER_SECRETS_DIRECTORY } from "../../components/manifests/workerPodFields";
import { isOwnVariable } from "../../settings/env";
import { pem } from "../fixtures/certificates";
import type { Deployment, Values } from "../harness";
import { at, deployStack, listAt, mappingAt, PROJECT_ROOT } from "./stack";

const page = readFileSync(join(PROJECT_ROOT, "docs/worker-contract.md"), "utf8");

/** Rows of the table below a heading, cell by cell. */
function rowsBelow(heading: string): string[][] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [text = ""] = section.split("\n## ");
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", ""))
        .slice(1, -1),
    );
}

/** A server elsewhere with every credential, every section that adds a variable, and every setting of a group. */
const EVERYTHING: Values = {
  "temporal-stack:postgres": undefined,
  "temporal-stack:networkAccess": undefined,
  "temporal-stack:temporal": {
    mode: "external",
    address: "temporal.example.com:7233",
    namespace: "shop",
    network: { cidrs: ["10.0.0.0/8"] },
    proxy: { address: "proxy.example.com:3128", network: { cidrs: ["10.0.0.0/8"] } },
    tls: {
      serverName: "temporal.example.com",
      ca: pem("ca.crt"),
      client: { certificate: pem("client.crt"), privateKey: pem("client.key") },
    },
    apiKeySecret: { name: "temporal", key: "api-key" },
  },
  "temporal-stack:tracing": {
    endpoint: "https://collector.observability:4318",
    headers: "authorization=Bearer%20x",
    network: { namespace: "observability" },
  },
  "temporal-stack:workers": [
    {
      name: "orders",
      taskQueues: ["orders"],
      maxCachedWorkflows: 100,
      activitySlots: 10,
      workflowTaskSlots: 10,
      secrets: [{ secret: "shop", key: "token", file: "token" }],
    },
  ],
};

const podOf = ({ registrations }: Deployment) =>
  at(
    registrations.find(({ name }) => name === "worker-orders-deployment")?.inputs,
    "spec",
    "template",
    "spec",
  );

/** Every variable that the worker's container gets, with its value where it stands in the ConfigMap. */
function environmentOf(deployment: Deployment): Map<string, unknown> {
  const inputs = (name: string) => deployment.registrations.find((one) => one.name === name)?.inputs;
  const secret = inputs("worker-orders-environment");
  return new Map([
    ...Object.entries(mappingAt(inputs("worker-orders-config"), "data")),
    ...Object.entries(secret === undefined ? {} : mappingAt(secret, "stringData")),
    ...listAt(podOf(deployment), "containers", 0, "env").map((item): [string, unknown] => [
      String(at(item, "name")),
      undefined,
    ]),
  ]);
}

describe("docs/worker-contract.md", () => {
  const rows = rowsBelow("Environment");
  let everything: Deployment;
  let least: Deployment;

  before(async () => {
    everything = await deployStack("prod", { changes: EVERYTHING });
    least = await deployStack("prod", {
      changes: { "temporal-stack:payloadEncryption": { enabled: false } },
    });
  });

  it("names every variable that the Deployment sets, and no other", () => {
    assert.deepEqual(rows.map(([name]) => name).sort(), [...environmentOf(everything).keys()].sort());
  });

  it("says of exactly those that they are always set", () => {
    const always = rows.filter(([, when]) => when === "always" || when === "image worker");
    assert.deepEqual(always.map(([name]) => name).sort(), [...environmentOf(least).keys()].sort());
  });

  it("says which of them the settings of a group may set", () => {
    const free = rows.flatMap(([name = ""]) => (isOwnVariable(name) ? [] : [name]));
    assert.deepEqual(free, ["NODE_OPTIONS", "OTEL_SERVICE_NAME"]);
    assert.match(page, /except `OTEL_SERVICE_NAME`, and `NODE_OPTIONS` for an image other than `worker`/);
  });

  it("states the values that never differ", () => {
    const set = environmentOf(everything);
    const fixed = rows.filter(([, , value = ""]) => /^(\d+|[\d.]+:\d+|parentbased_\w+)$/.test(value));
    assert.equal(fixed.length, 1);
    for (const [name = "", , value] of fixed) assert.equal(set.get(name), value, name);
  });

  it("names every folder that is mounted, and the user", () => {
    const folders = rowsBelow("Files").map(([folder]) => folder);
    const mounted = listAt(podOf(everything), "containers", 0, "volumeMounts").map((item) =>
      at(item, "mountPath"),
    );
    assert.deepEqual([...mounted].sort(), [...folders].sort());
    assert.deepEqual(
      [...folders].sort(),
      [CREDENTIALS_DIRECTORY, KEYRING_DIRECTORY, TMP_DIRECTORY, WORKER_SECRETS_DIRECTORY].sort(),
    );
    assert.ok(page.includes(`user and group ${String(WORKER_UID)}`));
    assert.equal(at(podOf(everything), "securityContext", "runAsUser"), WORKER_UID);
  });
});
