import { shutdownOnSignal } from "./signals";

const stop = shutdownOnSignal();

// Loading the SDK takes a good part of a second; a signal that arrives meanwhile must not be lost.
async function main(): Promise<number> {
  await import("@temporalio/worker");
  // Not by Node's flag, and not before the SDK: maps of packages and of the workflow bundle, which the SDK reads itself,
  // would be looked for at every start, for a tenth of its time.
  process.setSourceMapsEnabled(true);
  const [{ runService }, { sampleGateways }] = await Promise.all([
    import("./service.js"),
    import("./domain/sample-gateways.js"),
  ]);
  return runService({ environment: process.env, gateways: sampleGateways(), stop });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
