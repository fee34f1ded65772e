import assert from "node:assert/strict";
import { once } from "node:events";
import { execa } from "execa";
import { z } from "zod";
import { recordedCluster } from "../../common/localStack";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { eventually } from "../support/eventually";
import { readableHistory } from "./histories";
import { allComplete, holdOrders, release } from "./orders";
import { changeEncryption, kubectl, order, podsOf, restoreStackFile, succeed } from "./support";

const RUNNING_ORDERS = 30;
/** Stands in every sample order. */
const SECRET = "TEAPOT";

const up = ["npm", "run", "up"];
const codecServer = {
  uiOrigin: "http://127.0.0.1:8233",
  replicas: 1,
  resources: { requests: { cpu: "20m", memory: "96Mi" } },
};

async function keysOf(workflowId: string): Promise<string[]> {
  const found = (await readableHistory(workflowId)).matchAll(/"encryption-key-id": ([^\s,]+)/g);
  return [...new Set([...found].map(([, id]) => id ?? ""))].sort();
}

async function newOrder(): Promise<string> {
  const { exitCode, orders } = await order();
  assert.equal(exitCode, 0);
  return orders[0]?.workflowId ?? "";
}

/** An update is done while pods of before may still finish what they took. */
const noneLeaves = (): Promise<void> =>
  eventually("no pod is on its way out", async () => {
    const pods = ["get", "pods", "--namespace=temporal-workers"];
    return (await kubectl(...pods, "--output=jsonpath={.items[*].metadata.deletionTimestamp}")).trim() === "";
  });

const secret = z.object({ data: z.object({ token: z.string() }) });

describe("a payload key", () => {
  let oldest: string;
  let newest: string;

  // The stack stays as it is: nothing but its end comes after this.
  after(restoreStackFile);

  it("is rotated by two updates while orders run, and none is lost", async () => {
    oldest = await newOrder();
    const ids = await holdOrders(RUNNING_ORDERS);

    changeEncryption({ keys: ["key-1", "key-2"], activeKey: "key-1", codecServer });
    await succeed(up);
    assert.deepEqual(await keysOf(await newOrder()), ["key-1"]);

    changeEncryption({ keys: ["key-1", "key-2"], activeKey: "key-2", codecServer });
    await succeed(up);
    await noneLeaves();
    newest = await newOrder();
    assert.deepEqual(await keysOf(newest), ["key-2"]);

    await release(ids);
    await allComplete(ids);
    for (const id of ids) assert.deepEqual(await keysOf(id), ["key-1", "key-2"]);
    assert.deepEqual(await keysOf(oldest), ["key-1"]);
  });

  it("of either age opens payloads through the codec server, to who has its token", async () => {
    const pods = await podsOf("temporal-workers");
    assert.equal(pods.filter(({ metadata }) => metadata.name.startsWith("codec-server-")).length, 1);
    const kubeconfig = recordedCluster()?.cluster?.kubeconfig ?? "";
    const namespace = ["--namespace", "temporal-workers"];
    const forward = execa(
      commandPath(programs.kubernetes, "kubectl"),
      ["--kubeconfig", kubeconfig, "port-forward", ...namespace, "service/temporal-codec-server", ":8081"],
      { reject: false, buffer: false },
    );
    try {
      const ended = forward.then(() => assert.fail("kubectl ended before it forwarded"));
      const [line] = z
        .tuple([z.coerce.string()])
        .parse(await Promise.race([once(forward.stdout, "data"), ended]));
      const endpoint = /Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      assert.ok(endpoint !== undefined, line);
      const { data } = secret.parse(
        JSON.parse(
          await kubectl("get", "secret", "temporal-codec-server-token", ...namespace, "--output=json"),
        ),
      );
      const env = {
        TEMPORAL_CODEC_ENDPOINT: `http://${endpoint}`,
        TEMPORAL_CODEC_AUTH: `Bearer ${Buffer.from(data.token, "base64").toString("utf8")}`,
      };
      for (const id of [oldest, newest]) {
        assert.ok(!(await readableHistory(id)).includes(SECRET));
        assert.ok((await readableHistory(id, env)).includes(SECRET));
        await assert.rejects(readableHistory(id, { ...env, TEMPORAL_CODEC_AUTH: "Bearer wrong" }));
      }
    } finally {
      forward.kill("SIGTERM");
      await forward;
    }
  });
});
