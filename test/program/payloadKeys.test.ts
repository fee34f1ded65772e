import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { neededByWorkers } from "../../components/manifests/existingObjects";
import { parseSettings } from "../../settings/settings";
import { LEAST, source } from "../components/refusal";
import type { Deployment, Registration, Values } from "../harness";
import { openApiProblems } from "../../settings/openapi/validate";
import { at, deployStack, listAt, mappingAt, objectsOf } from "./stack";

const value = randomBytes(32).toString("base64");
const keys = ["key-1", { id: "key-2", value }, { id: "key-3", secret: "company-keys", key: "third" }];
const codecServer = { uiOrigin: "https://temporal.example.com" };

const deployed = (payloadEncryption: Values, stackOutputs?: Values): Promise<Deployment> =>
  deployStack("prod", {
    changes: { "temporal-stack:payloadEncryption": payloadEncryption },
    ...(stackOutputs && { stackOutputs }),
  });

const find = ({ registrations }: Deployment, wanted: string): Registration => {
  const found = registrations.find(({ name }) => name === wanted);
  assert.ok(found !== undefined, wanted);
  return found;
};

const keyVolume = (deployment: Deployment, name: string): unknown =>
  listAt(find(deployment, name).inputs, "spec", "template", "spec", "volumes").find(
    (volume) => at(volume, "name") === "codec-keys",
  );

describe("a stack with keys of its user's own", () => {
  let deployment: Deployment;

  before(async () => {
    deployment = await deployed({ keys, activeKey: "key-2", codecServer });
  });

  it("keeps a brought key in the Secret and nowhere else, and generates none for it", () => {
    const secret = find(deployment, "payload-keyring-secret");
    const data = mappingAt(secret.inputs, "stringData");
    assert.deepEqual(Object.keys(data), ["key-1", "key-2"]);
    assert.equal(data["key-2"], value);
    assert.ok(secret.secretPaths.some((path) => path.startsWith("stringData")));
    const holders = deployment.registrations.filter(({ inputs }) => JSON.stringify(inputs).includes(value));
    assert.deepEqual(
      holders.map(({ name }) => name),
      ["payload-keyring-secret"],
    );
    assert.ok(!JSON.stringify(deployment.outputs).includes(value));
    const generated = deployment.registrations.filter(({ name }) => name.startsWith("payload-keyring-key-"));
    assert.deepEqual(
      generated.map(({ name }) => name),
      ["payload-keyring-key-1"],
    );
  });

  it("mounts one of another Secret beside them, under its id", () => {
    const expected = {
      name: "codec-keys",
      projected: {
        sources: [
          { secret: { name: "temporal-payload-keyring" } },
          { secret: { name: "company-keys", items: [{ key: "third", path: "key-3" }] } },
        ],
        defaultMode: 0o440,
      },
    };
    for (const name of ["worker-orders-deployment", "codec-server-deployment"]) {
      assert.deepEqual(keyVolume(deployment, name), expected);
    }
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
  });

  it("waits for no Secret that is not there", () => {
    const { workers, temporal, payloadEncryption } = parseSettings(
      source({ ...LEAST, payloadEncryption: { keys: ["key-1", { id: "key-3", secret: "company-keys" }] } }),
    );
    assert.deepEqual(neededByWorkers({ workers, temporal, payloadEncryption }, "orders"), [
      { setting: "payloadEncryption.keys[1]", kind: "Secret", name: "company-keys", key: "key-3" },
    ]);
  });

  it("remembers them, and refuses to lose one in previews and updates", async () => {
    const { payloadKeyring } = deployment.outputs;
    assert.deepEqual(
      listAt(payloadKeyring, "keys").map((key) => [at(key, "id"), at(key, "source")]),
      [
        ["key-1", "generated"],
        ["key-2", "settings"],
        ["key-3", "secret"],
      ],
    );
    const left = { keys: ["key-1"], activeKey: "key-1" };
    await assert.rejects(
      deployed(left, { payloadKeyring }),
      /key "key-2" is in neither [^]*key "key-3" is in neither [^]*Nothing was changed/,
    );
    const other = [{ id: "key-2", value: randomBytes(32).toString("base64") }, ...keys.slice(2)];
    await assert.rejects(
      deployed({ keys: ["key-1", ...other], activeKey: "key-1" }, { payloadKeyring }),
      /key "key-2" has another value/,
    );
    await deployed({ ...left, forgottenKeys: ["key-2", "key-3"] }, { payloadKeyring });
    await deployed({ keys, activeKey: "key-2", codecServer }, { payloadKeyring });
  });
});

describe("a stack without them", () => {
  it("mounts the Secret as it always did", async () => {
    assert.deepEqual(keyVolume(await deployStack("prod"), "worker-orders-deployment"), {
      name: "codec-keys",
      secret: { secretName: "temporal-payload-keyring", defaultMode: 0o440 },
    });
  });

  it("is not refused because of an output of an earlier version", async () => {
    const payloadKeyring = {
      namespace: "temporal-workers",
      secret: "temporal-payload-keyring",
      activeKey: "key-1",
    };
    await deployStack("prod", { stackOutputs: { payloadKeyring } });
  });
});
