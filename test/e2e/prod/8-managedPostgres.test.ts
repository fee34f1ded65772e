import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { execa } from "execa";
import pMap from "p-map";
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
const NOWHERE = "nowhere.temporal.svc";

const ownPostgres = z.looseObject({ image: z.string() });

/** Stacks that are refused, each for another reason, at the same time: a preflight tries for most of a minute. */
const REFUSED = ["stranger", "mistaken", "lost"] as const;

describe("stack with a managed Postgres", () => {
  const password = randomBytes(20).toString("hex");
  const make = (name: string): SecondStack =>
    new SecondStack(name, ({ postgres }) => ({
      postgres: { preflightImage: ownPostgres.parse(postgres).image },
    }));
  let stack: SecondStack;
  let ca: string;

  async function init(made: SecondStack, { host = HOST, login = password } = {}): Promise<void> {
    await made.init({
      ...smallServer("managed"),
      postgres: {
        mode: "managed",
        host,
        user: USER,
        databases: { default: "managed", visibility: "managed_visibility" },
        ca,
        maxConnections: 200,
      },
    });
    await made.setSecret("postgres.password", login);
  }

  before("there are databases, a login, and a way through prod's policies", async () => {
    await sql(`CREATE ROLE ${USER} LOGIN PASSWORD '${password}'`);
    for (const database of ["managed", "managed_visibility"])
      await sql(`CREATE DATABASE ${database} OWNER ${USER}`);
    stack = make("managed");
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "e2e-managed", namespace: "temporal" },
      spec: {
        podSelector: { matchLabels: { "cnpg.io/cluster": "temporal-pg" } },
        ingress: [
          {
            from: ["managed", ...REFUSED].map((name) => ({
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `temporal-${name}` } },
            })),
          },
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
  });

  after(() => stack.remove());

  describe("stops before Temporal is touched", () => {
    const refusals = new Map<string, { readonly exitCode: number | undefined; readonly output: string }>();
    const stacks = new Map<string, SecondStack>();

    before(async () => {
      const address = await kubectl(
        ...["get", "pod", await primary(), "--namespace=temporal", "--output=jsonpath={.status.podIP}"],
      );
      const wrong = { stranger: { login: "wrong" }, mistaken: { host: address }, lost: { host: NOWHERE } };
      for (const name of REFUSED) {
        const made = make(name);
        stacks.set(name, made);
        await init(made, wrong[name]);
      }
      await pMap(stacks, async ([name, made]) => refusals.set(name, await made.up()));
    });

    after(async () => {
      for (const made of stacks.values()) {
        await made.destroy();
        await made.remove();
      }
    });

    const reasons: Readonly<Record<(typeof REFUSED)[number], readonly [what: string, ...says: RegExp[]]>> = {
      stranger: [
        "the password is wrong",
        /password authentication failed for user "managed_login"/,
        /cannot log in to temporal-pg-rw\.temporal\.svc:5432/,
      ],
      mistaken: ["the certificate is for another host", /certificate .* does not match host name/],
      lost: ["there is no such host", /could not translate host name "nowhere\.temporal\.svc"/],
    };
    for (const name of REFUSED) {
      const [what, ...says] = reasons[name];
      it(`when ${what}`, async () => {
        const { exitCode, output = "" } = refusals.get(name) ?? {};
        assert.notEqual(exitCode, 0);
        for (const text of says) assert.match(output, text);
        assert.equal(await stacks.get(name)?.deployments(), "");
      });
    }
  });

  it("runs workflows once everything is right", async () => {
    await init(stack);
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
