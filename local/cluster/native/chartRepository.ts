import { join } from "node:path";
import { makeChartRepository } from "../../charts/archives";
import { checkout, state } from "../../../common/paths";
import { addresses } from "./addresses";
import { startInNode } from "./cluster";
import { waitUntilReady } from "./process";

const PORT = 8879;
const folder = state("charts");

/** Where Helm finds the charts that stand in for the official ones: an address that only this machine has. */
export const chartRepository = `http://${addresses.nodeIp}:${PORT}`;

/** Makes the chart repository anew, and serves it until the cluster stops. */
export async function startChartRepository(): Promise<void> {
  await makeChartRepository(folder);
  startInNode("chart-repository", [
    ...[process.execPath, "--require", require.resolve("sucrase/register/ts")],
    ...[join(checkout, "local/charts/server.ts"), folder, addresses.nodeIp, String(PORT)],
  ]);
  await waitUntilReady("chart-repository", isServed, 10);
}

const isServed = (): Promise<boolean> =>
  fetch(`${chartRepository}/index.yaml`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
