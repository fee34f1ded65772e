import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createActivities } from "../../src/activities";
import { orderTotalMinor } from "../../src/domain/order";
import { sampleGateways } from "../../src/domain/sample-gateways";
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
});
