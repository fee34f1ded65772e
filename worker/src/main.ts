import { shutdownOnSignal } from "./signals";

const stop = shutdownOnSignal();

// Loading the SDK takes a good part of a second; a signal that arrives meanwhile must not be lost.
async function main(): Promise<number> {
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
