import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputsSchema } from "../../common/stackOutputs";
import { clientEnvironment } from "../../local/firstWorkflow";

describe("payload keys that somebody deleted in the cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const cluster = createServer((_, response) => {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", code: 404, reason: "NotFound" }));
  });

  before(async () => {
    cluster.listen(0, "127.0.0.1");
    await once(cluster, "listening");
  });
  after(() => {
    cluster.close();
    rmSync(folder, { recursive: true });
  });

  it("are named, with the command that puts them back", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    const server = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`;
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        "current-context": "test",
        contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
        clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
        users: [{ name: "test", user: {} }],
      }),
    );
    const outputs = outputsSchema.parse({
      temporalNamespace: "default",
      workerImage: "registry.example.com/worker",
      workers: [{ name: "orders", namespace: "workers", deployment: "orders", taskQueues: ["orders"] }],
      payloadKeyring: { namespace: "workers", secret: "temporal-payload-keyring", activeKey: "key-1" },
    });
    const target = {
      ...{ description: "a cluster", kubeconfig, context: "test", networkPolicies: "unknown" as const },
      ...{ imageEnvironment: {}, settings: {} },
    };
    await assert.rejects(clientEnvironment(target, outputs), (error: Error) => {
      assert.match(error.message, /Secret workers\/temporal-payload-keyring is not in the cluster/);
      assert.match(JSON.stringify(error), /pulumi up --refresh/);
      return true;
    });
  });
});
