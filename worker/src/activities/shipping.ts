import { activityInfo, heartbeat, sleep } from "@temporalio/activity";
import type { CarrierGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { ShippingActivities } from "./types";

/** Several heartbeats fit into the time after which their absence means that the worker is gone. */
const HEARTBEATS_PER_TIMEOUT = 4;
/** Where the workflow sets no heartbeat timeout, in ms. */
const DEFAULT_HEARTBEAT_TIMEOUT_MS = 10_000;

/** The activities that touch the carrier. */
export function shippingActivities(carrier: CarrierGateway): ShippingActivities {
  return {
    checkAddress: ({ address }) => withTypedFailures(() => carrier.checkAddress(address)),
    ship: ({ idempotencyKey, ...parcel }) => withTypedFailures(() => carrier.ship(idempotencyKey, parcel)),
    recall: ({ idempotencyKey }) => withTypedFailures(() => carrier.recall(idempotencyKey)),
    followParcel: ({ trackingNumber }) => withTypedFailures(() => followParcel(carrier, trackingNumber)),
  };
}

async function followParcel(carrier: CarrierGateway, trackingNumber: string): Promise<{ scans: number }> {
  const info = activityInfo();
  const resumeAt: unknown = info.heartbeatDetails;
  const heartbeatMs = (info.heartbeatTimeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS) / HEARTBEATS_PER_TIMEOUT;
  let seen = typeof resumeAt === "number" ? resumeAt : 0;
  for (;;) {
    for (const scan of await carrier.scansAfter(trackingNumber, seen)) {
      seen += 1;
      if (scan === "takenOver") return { scans: seen };
    }
    heartbeat(seen);
    // Rejects when the activity is cancelled, which the server says in answer to a heartbeat.
    await sleep(heartbeatMs);
  }
}
