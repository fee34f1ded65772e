import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import type { Deployment, Values } from "../harness";
import { mappingAt, objectsOf } from "../program/stack";

/**
 * Serves the objects of a stack as its API server would.
 * @param secrets Secrets that exist beside them in the workers' namespace: entries by name
 */
export async function serveObjects(
  deployment: Deployment,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<{ server: Server; config: KubeConfig }> {
  const objects = new Map<string, unknown>();
  for (const { kind, apiVersion, inputs, registration } of objectsOf(deployment)) {
    const metadata = mappingAt(inputs, "metadata");
    const { namespace, name = `${registration.name}-1a2b3c4d` } = metadata;
    const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const { stringData, ...rest } = inputs;
    const data = Object.entries((stringData ?? {}) as Values).map(([key, value]) => [
      key,
      Buffer.from(String(value)).toString("base64"),
    ]);
    objects.set(`${root}/namespaces/${String(namespace)}/${kind.toLowerCase()}s/${String(name)}`, {
      ...rest,
      ...(kind === "Secret" ? { data: Object.fromEntries(data) as unknown } : {}),
    });
  }
  for (const [name, entries] of Object.entries(secrets)) {
    const data = Object.entries(entries).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    objects.set(`/api/v1/namespaces/temporal-workers/secrets/${name}`, {
      data: Object.fromEntries(data) as unknown,
    });
  }
  const server = createServer((request, response) => {
    const object = objects.get(request.url ?? "");
    response.writeHead(object === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(object ?? { kind: "Status", code: 404 }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  const cluster = { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  config.loadFromClusterAndUser(cluster, { name: "test" });
  return { server, config };
}
