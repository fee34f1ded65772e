import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { execa } from "execa";
import { z } from "zod";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { kubectl } from "../support";
import { SecondStack, smallServer } from "./secondStack";
import { primary } from "../../support/faults";
import { inPod, sql } from "./support";

/*
 * A stack whose Temporal server keeps its data in databases that it was only given: those are in the Postgres of
 * prod.
 */

const USER = "managed_login";
const HOST = "temporal-pg-rw.temporal.svc";

const ownPostgres = z.looseObject({ image: z.string() });

describe("stack with a managed Postgres", () => {
  const password = randomBytes(20).toString("hex");
  let stack: SecondStack;

  const setHost = (host: string): void => {
    stack.file.layOver({ postgres: { host } });
  };

  before("there are databases, a login, and a way through prod's policies", async () => {
    await sql(`CREATE ROLE ${USER} LOGIN PASSWORD '${password}'`);
    for (const database of ["managed", "managed_visibility"])
      await sql(`CREATE DATABASE ${database} OWNER ${USER}`);
    stack = new SecondStack("managed", ({ postgres }) => ({
      postgres: { preflightImage: ownPostgres.parse(postgres).image },
    }));
    const ours = { matchLabels: { "kubernetes.io/metadata.name": stack.namespaces.temporal } };
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "e2e-managed", namespace: "temporal" },
      spec: {
        podSelector: { matchLabels: { "cnpg.io/cluster": "temporal-pg" } },
        ingress: [{ from: [{ namespaceSelector: ours }] }],
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
    await stack.init({
      ...smallServer("managed"),
      postgres: {
        mode: "managed",
        host: HOST,
        user: USER,
        databases: { default: "managed", visibility: "managed_visibility" },
        ca: Buffer.from(encoded, "base64").toString("utf8"),
        maxConnections: 200,
      },
    });
  });

  after(() => stack.remove());

  it("stops before Temporal is touched when the password is wrong, and says so", async () => {
    await stack.setSecret("postgres.password", "wrong");
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /password authentication failed for user "managed_login"/);
    assert.match(output, /cannot log in to temporal-pg-rw\.temporal\.svc:5432/);
    assert.equal(await stack.deployments(), "");
  });

  it("stops when the certificate is for another host", async () => {
    const address = await kubectl(
      ...["get", "pod", await primary(), "--namespace=temporal", "--output=jsonpath={.status.podIP}"],
    );
    await stack.setSecret("postgres.password", password);
    setHost(address);
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /certificate .* does not match host name/);
    assert.equal(await stack.deployments(), "");
  });

  it("stops when there is no such host", async () => {
    setHost("nowhere.temporal.svc");
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /could not translate host name "nowhere\.temporal\.svc"/);
    assert.equal(await stack.deployments(), "");
  });

  it("runs workflows once everything is right", async () => {
    setHost(HOST);
    const { exitCode, output } = await stack.up();
    assert.equal(exitCode, 0, output);
    const canary = ["--type", "canary", "--task-queue", "orders", "--workflow-id", "canary"];
    const result = await inPod(
      stack.namespaces.temporal,
      "deployment/temporal-admintools",
      ...["temporal", "--address", "temporal-frontend:7233", "workflow", "execute", ...canary],
    );
    assert.match(result, /COMPLETED/);
    assert.ok(!readFileSync(stack.path, "utf8").includes(password));
  });

  it("refuses another number of shards by what the database records, without a record of its own", async () => {
    await stack.destroy();
    stack.file.layOver({ temporal: { historyShards: 8 } });
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /the database was made with 4 history shards/);
    assert.equal(await stack.deployments(), "");
  });

  it("refuses another cluster's name over the data that is there, and says how to adopt it", async () => {
    stack.file.layOver({ temporal: { cluster: { name: "renamed" } } });
    const { exitCode, output } = await stack.up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /holds the data of Temporal cluster "managed" with 4 history shards/);
    assert.match(output, /set temporal\.cluster\.name to managed/);
    assert.equal(await stack.deployments(), "");
    await stack.destroy();
  });
});
