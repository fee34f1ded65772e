// The worker of this package with a carrier that takes its time, as a real one does. SHIP_MS is what an
// announcement takes, CHECK_MS what the check of an address does; HOLD_AT_SCAN is the number of scans after which a parcel goes no further.
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { SAMPLE_SCANS, sampleGateways } from "../../src/domain/sample-gateways";
import { runService } from "../../src/service";
import { shutdownOnSignal } from "../../src/signals";
import { PACKAGE } from "../support/process";

const { SHIP_MS = "0", CHECK_MS = "0", HOLD_AT_SCAN = String(SAMPLE_SCANS.length) } = process.env;

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
        await delay(Number(SHIP_MS));
        return carrier.ship(key, parcel);
      },
      recall: (key) => carrier.recall(key),
      checkAddress: async (address) => {
        await delay(Number(CHECK_MS));
        return carrier.checkAddress(address);
      },
      scansAfter: async (trackingNumber, seen) => {
        console.log(`scans of ${trackingNumber} after ${seen}`);
        const scans = await carrier.scansAfter(trackingNumber, seen);
        return scans.slice(0, Math.max(0, Number(HOLD_AT_SCAN) - seen));
      },
    },
  },
}).then((code) => process.exit(code));
