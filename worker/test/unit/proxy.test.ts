import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { NativeConnection } from "@temporalio/worker";
import { connectionOptions, loadReplayConfig, loadWorkerConfig } from "../../src/config";

describe("a proxy", () => {
  for (const [who, load] of Object.entries({ worker: loadWorkerConfig, replay: loadReplayConfig })) {
    it(`is asked by a ${who} to connect to Temporal, whose name only it has to resolve`, async () => {
      const proxy = createServer().listen(0, "127.0.0.1");
      await once(proxy, "listening");
      const asked = once(proxy, "connection").then(async ([socket]: Socket[]) => {
        assert.ok(socket);
        const [request] = (await once(socket, "data")) as [Buffer];
        socket.destroy();
        return request.toString("latin1");
      });
      try {
        const { connection } = load({
          TEMPORAL_ADDRESS: "temporal.invalid:7233",
          TEMPORAL_NAMESPACE: "shop",
          TEMPORAL_TASK_QUEUES: "orders",
          TEMPORAL_PROXY_ADDRESS: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        });
        await assert.rejects(NativeConnection.connect(connectionOptions(connection)));
        assert.match(await asked, /^CONNECT temporal\.invalid:7233 HTTP\/1\.1\r\n/);
      } finally {
        proxy.close();
      }
    });
  }
});
