import { shutdownOnSignal } from "../signals";

const stop = shutdownOnSignal();
process.setSourceMapsEnabled(true);

// A signal that arrives while the modules load must not be lost.
import("./service.js")
  .then(({ runCodecServer }) => runCodecServer({ environment: process.env, stop }))
  .then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
