// The worker's process from its sources, with the workflows in the bundle that BUNDLE_PATH names.
import { sampleGateways } from "../../src/domain/sample-gateways";
import { runService } from "../../src/service";
import { shutdownOnSignal } from "../../src/signals";

const { BUNDLE_PATH = "", LAST_STEPS_MS } = process.env;

void runService({
  environment: process.env,
  stop: shutdownOnSignal(),
  bundlePath: BUNDLE_PATH,
  gateways: sampleGateways(),
  ...(LAST_STEPS_MS === undefined ? {} : { lastStepsMs: Number(LAST_STEPS_MS) }),
}).then((code) => process.exit(code));
