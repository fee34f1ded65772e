// The worker of this package with a carrier that takes its time, as a real one does.
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { sampleGateways } from "../../src/domain/sample-gateways";
import { runService } from "../../src/service";
import { shutdownOnSignal } from "../../src/signals";
import { PACKAGE } from "./harness";

const SHIP_MS = 3000;

const gateways = sampleGateways();
const { carrier } = gateways;

void runService({
  environment: process.env,
  stop: shutdownOnSignal(),
  bundlePath: join(PACKAGE, "lib", "workflow-bundle.js"),
  gateways: {
    ...gateways,
    carrier: {
      ship: async (key, parcel) => {
        await delay(SHIP_MS);
        return carrier.ship(key, parcel);
      },
      recall: (key) => carrier.recall(key),
    },
  },
}).then((code) => process.exit(code));
