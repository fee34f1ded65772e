import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { OVERLAY_VARIABLE } from "../../../components/settings/source";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { machineSettingsFile } from "../../../local/pulumi";
import { commandPath } from "../../../local/toolchain/install";
import { programs } from "../../../local/toolchain/programs";
import { sectionSchema } from "../stackFile";
import { checkout, type Finished, kubectl, run, sourcedEnvironment } from "../support";
import { eventually, inPod, primary, sql } from "./support";

/*
 * A second stack beside prod, in namespaces of its own, whose Temporal server keeps its data in databases that it
 * was only given: those are in the Postgres of prod.
 */

const NAMESPACE = "temporal-managed";
const WORKERS = "temporal-managed-workers";
const USER = "managed_login";
const HOST = "temporal-pg-rw.temporal.svc";
const small = {
  replicas: 1,
  resources: { requests: { cpu: "10m", memory: "96Mi" }, limits: { memory: "512Mi" } },
};

const machine = z.object({
  settings: z.looseObject({ postgres: z.looseObject({ image: z.string() }) }),
});

const stackFile = join(checkout, "Pulumi.managed.yaml");

/** Writes the stack file; the password is set by the CLI, and stays. */
function writeStackFile(ca: string, postgres: Readonly<Record<string, unknown>> = {}): void {
  const before = z
    .object({ config: sectionSchema })
    .safeParse(parse(readFileSync(stackFile, { encoding: "utf8", flag: "a+" })));
  const kept = sectionSchema.safeParse(before.data?.config["temporal-stack:postgres"]).data ?? {};
  const config = {
    "pulumi:disable-default-providers": ["kubernetes"],
    "temporal-stack:namespaces": { temporal: NAMESPACE, workers: WORKERS },
    "temporal-stack:temporal": {
      mode: "chart",
      historyShards: 4,
      cluster: { name: "managed" },
      roles: { frontend: small, history: small, matching: small, worker: small },
      databaseConnections: { default: 4, visibility: 2 },
      ui: { enabled: false },
    },
    "temporal-stack:postgres": {
      mode: "managed",
      host: HOST,
      user: USER,
      databases: { default: "managed", visibility: "managed_visibility" },
      ca,
      maxConnections: 200,
      ...("password" in kept ? { password: kept["password"] } : {}),
      ...postgres,
    },
    "temporal-stack:payloadEncryption": { enabled: false },
    "temporal-stack:workers": [
      {
        name: "orders",
        taskQueues: ["orders"],
        replicas: { min: 1, max: 2 },
        resources: { requests: { cpu: "10m", memory: "192Mi" }, limits: { memory: "512Mi" } },
      },
    ],
    "temporal-stack:deletionProtection": "false",
  };
  writeFileSync(stackFile, stringify({ config }));
}

describe("stack with a managed Postgres", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-managed-"));
  const password = randomBytes(20).toString("hex");
  let ca: string;
  let environment: NodeJS.ProcessEnv;

  const pulumi = (...args: string[]): Promise<Finished> =>
    run(["npx", "pulumi", ...args, "--non-interactive", "--color", "never"], { env: environment });
  const up = (): Promise<Finished> => pulumi("up", "--yes", "--skip-preview", "--stack", "managed");
  const setPassword = async (input: string): Promise<void> => {
    const path = ["--secret", "--path", "temporal-stack:postgres.password"];
    await execa("npx", ["pulumi", "config", "set", ...path, "--stack", "managed"], {
      cwd: checkout,
      env: environment,
      input,
    });
  };
  const releases = (): Promise<string> =>
    kubectl("get", "deployments", "--namespace", NAMESPACE, "--output=name");

  before("there are databases, a login, and a way through prod's policies", async () => {
    await sql(`CREATE ROLE ${USER} LOGIN PASSWORD '${password}'`);
    for (const database of ["managed", "managed_visibility"])
      await sql(`CREATE DATABASE ${database} OWNER ${USER}`);
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "e2e-managed", namespace: "temporal" },
      spec: {
        podSelector: { matchLabels: { "cnpg.io/cluster": "temporal-pg" } },
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACE } } }] },
        ],
      },
    };
    await execa(
      commandPath(programs.kubernetes, "kubectl"),
      ["--kubeconfig", adminKubeconfig, "apply", "--filename", "-"],
      { input: JSON.stringify(policy) },
    );
    const encoded = await kubectl(
      ...["get", "secret", "temporal-pg-ca", "--namespace=temporal"],
      "--output=jsonpath={.data.ca\\.crt}",
    );
    ca = Buffer.from(encoded, "base64").toString("utf8");
    const { settings } = machine.parse(parse(readFileSync(machineSettingsFile, "utf8")));
    const overlay = join(folder, "settings.yaml");
    const postgres = { preflightImage: settings.postgres.image };
    writeFileSync(
      overlay,
      stringify({ stack: "managed", settings: { ...settings, kubernetes: {}, postgres } }),
    );
    environment = { ...sourcedEnvironment(), KUBECONFIG: adminKubeconfig, [OVERLAY_VARIABLE]: overlay };
    writeStackFile(ca);
    const made = await pulumi("stack", "init", "managed");
    assert.equal(made.exitCode, 0, made.output);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("stops before Temporal is touched when the password is wrong, and says so", async () => {
    await setPassword("wrong");
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /password authentication failed for user "managed_login"/);
    assert.match(output, /cannot log in to temporal-pg-rw\.temporal\.svc:5432/);
    assert.equal(await releases(), "");
  });

  it("stops when the certificate is for another host", async () => {
    const address = await kubectl(
      ...["get", "pod", await primary(), "--namespace=temporal", "--output=jsonpath={.status.podIP}"],
    );
    await setPassword(password);
    writeStackFile(ca, { host: address });
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /certificate .* does not match host name/);
    assert.equal(await releases(), "");
  });

  it("stops when there is no such host", async () => {
    writeStackFile(ca, { host: "nowhere.temporal.svc" });
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /could not translate host name "nowhere\.temporal\.svc"/);
    assert.equal(await releases(), "");
  });

  it("runs workflows once everything is right", async () => {
    writeStackFile(ca);
    const { exitCode, output } = await up();
    assert.equal(exitCode, 0, output);
    const canary = ["--type", "canary", "--task-queue", "orders", "--workflow-id", "canary"];
    const result = await inPod(
      NAMESPACE,
      "deployment/temporal-admintools",
      ...["temporal", "--address", "temporal-frontend:7233", "workflow", "execute", ...canary],
    );
    assert.match(result, /COMPLETED/);
    assert.doesNotMatch(readFileSync(stackFile, "utf8"), new RegExp(password));
  });

  it("refuses another number of shards by what the database records, without a record of its own", async () => {
    assert.equal((await pulumi("destroy", "--yes", "--skip-preview", "--stack", "managed")).exitCode, 0);
    await eventually("its namespaces are gone", async () => {
      const left = await kubectl("get", "namespaces", "--output=name");
      return !left.includes(NAMESPACE);
    });
    writeStackFile(ca);
    const text = readFileSync(stackFile, "utf8").replace("historyShards: 4", "historyShards: 8");
    writeFileSync(stackFile, text);
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /the database was made with 4 history shards/);
    assert.equal(await releases(), "");
    const destroyed = await pulumi("destroy", "--yes", "--skip-preview", "--stack", "managed");
    assert.equal(destroyed.exitCode, 0, destroyed.output);
    await pulumi("stack", "rm", "managed", "--yes");
  });
});
