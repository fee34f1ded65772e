import assert from "node:assert/strict";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createActivities } from "../../src/activities";
import type { CarrierGateway } from "../../src/domain/gateways";
import { orderTotalMinor } from "../../src/domain/order";
import { SAMPLE_SCANS, sampleGateways, UNDELIVERABLE_COUNTRY } from "../../src/domain/sample-gateways";
import { sampleOrder } from "../../src/domain/sample-orders";
import type { SampleFailure } from "../../src/domain/sample-orders";

const requests = (fail?: SampleFailure) => {
  const { lines, currency, cardToken, address } = sampleOrder({ fail });
  const amountMinor = orderTotalMinor({ lines });
  return {
    reserve: { idempotencyKey: "o/reserve", lines },
    charge: { idempotencyKey: "o/charge", amountMinor, currency, cardToken },
    ship: { idempotencyKey: "o/ship", address, lines },
  };
};

describe("activities", () => {
  const environment = new MockActivityEnvironment();
  const failure = (type: string) => (error: unknown) => {
    assert.ok(error instanceof ApplicationFailure);
    assert.equal(error.type, type);
    assert.equal(error.details?.length, 1);
    return true;
  };

  it("give the same answer to a retry", async () => {
    const { reserve, charge, ship } = createActivities(sampleGateways());
    const { reserve: r, charge: c, ship: s } = requests();
    assert.deepEqual(await environment.run(reserve, r), await environment.run(reserve, r));
    assert.deepEqual(await environment.run(charge, c), await environment.run(charge, c));
    assert.deepEqual(await environment.run(ship, s), { trackingNumber: "parcel:o/ship" });
    assert.deepEqual(await environment.run(ship, s), { trackingNumber: "parcel:o/ship" });
  });

  it("fail with the type of the business error", async () => {
    const { reserve, charge, ship } = createActivities(sampleGateways());
    await assert.rejects(environment.run(reserve, requests("out-of-stock").reserve), failure("OutOfStock"));
    await assert.rejects(environment.run(charge, requests("card-declined").charge), failure("CardDeclined"));
    await assert.rejects(
      environment.run(ship, requests("address-rejected").ship),
      failure("AddressRejected"),
    );
  });

  it("take steps back that never happened, after which these are refused", async () => {
    const { reserve, charge, ship, release, refund, recall } = createActivities(sampleGateways());
    const { reserve: r, charge: c, ship: s } = requests();
    await environment.run(release, r);
    await environment.run(refund, c);
    await environment.run(recall, s);
    await assert.rejects(environment.run(reserve, r), failure("RequestVoided"));
    await assert.rejects(environment.run(charge, c), failure("RequestVoided"));
    await assert.rejects(environment.run(ship, s), failure("RequestVoided"));
  });

  it("pass on what is not a business error as it is, so that it is retried", async () => {
    const outage = new Error("connection reset");
    const gateways = sampleGateways();
    const { reserve } = createActivities({
      ...gateways,
      inventory: { reserve: () => Promise.reject(outage), release: () => Promise.resolve() },
    });
    await assert.rejects(environment.run(reserve, requests().reserve), (error) => error === outage);
  });

  it("check an address with the carrier", async () => {
    const { checkAddress } = createActivities(sampleGateways());
    const { address } = sampleOrder();
    await environment.run(checkAddress, { address });
    await assert.rejects(
      environment.run(checkAddress, { address: { ...address, country: UNDELIVERABLE_COUNTRY } }),
      failure("AddressRejected"),
    );
  });
});

describe("following a parcel", () => {
  /** The sample's parcels, but one scan at a time, up to `last`. */
  const follow = (last: number) => {
    const gateways = sampleGateways();
    const asked: number[] = [];
    const carrier: CarrierGateway = Object.assign(Object.create(gateways.carrier) as CarrierGateway, {
      scansAfter: async (_: string, seen: number) => {
        asked.push(seen);
        return SAMPLE_SCANS.slice(seen, Math.min(seen + 1, last));
      },
    });
    const { followParcel } = createActivities({ ...gateways, carrier });
    return { asked, followParcel };
  };
  const parcel = { trackingNumber: "parcel:k" };

  it("heartbeats each scan until the carrier has taken the parcel over", async () => {
    const { asked, followParcel } = follow(SAMPLE_SCANS.length);
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 4 });
    const heartbeats: unknown[] = [];
    environment.on("heartbeat", (details) => heartbeats.push(details));
    assert.deepEqual(await environment.run(followParcel, parcel), { scans: 3 });
    assert.deepEqual(asked, [0, 1, 2]);
    assert.deepEqual(heartbeats, [1, 2]);
  });

  it("goes on where the last attempt's heartbeat was", async () => {
    const { asked, followParcel } = follow(SAMPLE_SCANS.length);
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 4, heartbeatDetails: 2 });
    assert.deepEqual(await environment.run(followParcel, parcel), { scans: 3 });
    assert.deepEqual(asked, [2]);
  });

  it("stops when it is cancelled", async () => {
    const { followParcel } = follow(1);
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 4 });
    environment.once("heartbeat", () => {
      environment.cancel();
    });
    await assert.rejects(environment.run(followParcel, parcel), CancelledFailure);
  });
});
