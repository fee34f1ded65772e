import assert from "node:assert/strict";
import fc from "fast-check";
import { BusinessError } from "../../src/domain/errors";
import { addPurchase, EMPTY_ACCOUNT, isPurchase, REMEMBERED_ORDERS } from "../../src/domain/loyalty";
import type { Order } from "../../src/domain/order";
import {
  APPROVAL_THRESHOLD_MINOR,
  idempotencyKey,
  isAddressOpen,
  isCancellable,
  needsApproval,
  orderProblems,
  orderTotalMinor,
} from "../../src/domain/order";
import { RequestLog } from "../../src/domain/request-log";
import {
  DECLINED_CARD,
  SampleCarrier,
  SampleInventory,
  SamplePayment,
} from "../../src/domain/sample-gateways";
import { SAMPLE_FAILURES, sampleOrder } from "../../src/domain/sample-orders";

const refusal = (type: string) => (error: unknown) => error instanceof BusinessError && error.type === type;

describe("order", () => {
  it("adds up its lines", () => {
    assert.equal(orderTotalMinor(sampleOrder()), 2450 + 3 * 890);
  });

  it("has no problems in any sample, which fail later than validation", () => {
    for (const fail of [undefined, ...SAMPLE_FAILURES])
      assert.deepEqual(orderProblems(sampleOrder({ fail })), []);
  });

  it("reports every problem at once", () => {
    const bad: Order = {
      customerId: "",
      currency: "euro",
      cardToken: "",
      lines: [{ sku: "", quantity: 0.5, unitPriceMinor: -1 }],
      address: { name: "", street: "", city: "", country: "Germany" },
      fulfilmentDelaySeconds: Number.NaN,
      approvalTimeoutSeconds: 0,
    };
    const fields = orderProblems(bad).map((problem) => problem.split(":")[0]);
    assert.deepEqual(fields, [
      "customerId",
      "currency",
      "cardToken",
      "address.country",
      "lines[0].sku",
      "lines[0].quantity",
      "lines[0].unitPriceMinor",
      "fulfilmentDelaySeconds",
      "approvalTimeoutSeconds",
    ]);
    assert.match(orderProblems({ ...sampleOrder(), lines: [] }).join(), /at least one line/);
  });

  it("needs an approval from the threshold on, which the sample stays below unless it is large", () => {
    assert.deepEqual(
      [-1, 0].map((more) => needsApproval(APPROVAL_THRESHOLD_MINOR + more)),
      [false, true],
    );
    assert.equal(needsApproval(orderTotalMinor(sampleOrder())), false);
    assert.equal(needsApproval(orderTotalMinor(sampleOrder({ large: true }))), true);
  });

  it("keeps its address once it ships, and cannot be cancelled once it has shipped", () => {
    const phases = ["awaitingApproval", "preparing", "shipping", "shipped", "takingBack"] as const;
    assert.deepEqual(phases.map(isAddressOpen), [true, true, false, false, false]);
    assert.deepEqual(phases.map(isCancellable), [true, true, true, false, false]);
  });

  it("derives idempotency keys from workflow and step", () => {
    assert.equal(idempotencyKey("order-1", "charge"), "order-1/charge");
  });
});

describe("loyalty account", () => {
  it("counts each order once, in whole points, in whatever order and however often it is told", () => {
    const purchases = fc.array(
      fc.record({ orderId: fc.constantFrom("a", "b", "c"), totalMinor: fc.constantFrom(99, 100, 250) }),
    );
    fc.assert(
      fc.property(purchases, (told) => {
        const first = new Map([...told].reverse().map(({ orderId, totalMinor }) => [orderId, totalMinor]));
        const { points, purchases: counted } = told.reduce(addPurchase, EMPTY_ACCOUNT);
        assert.equal(counted, first.size);
        assert.equal(
          points,
          [...first.values()].reduce((sum, total) => sum + (total - (total % 100)) / 100, 0),
        );
      }),
    );
  });

  it("tells a purchase from anything else", () => {
    assert.ok(isPurchase({ orderId: "order-1", totalMinor: 0 }));
    for (const other of [undefined, null, "order-1", {}, { orderId: "order-1" }, { totalMinor: 100 }]) {
      assert.ok(!isPurchase(other), JSON.stringify(other));
    }
    for (const totalMinor of [-1, 0.5, Number.NaN, "100"])
      assert.ok(!isPurchase({ orderId: "a", totalMinor }));
  });

  it("remembers a bounded number of orders", () => {
    let account = EMPTY_ACCOUNT;
    for (let index = 0; index <= REMEMBERED_ORDERS; index++) {
      account = addPurchase(account, { orderId: `order-${index}`, totalMinor: 100 });
    }
    assert.equal(account.purchases, REMEMBERED_ORDERS + 1);
    assert.equal(account.recentOrderIds.length, REMEMBERED_ORDERS);
    assert.ok(!account.recentOrderIds.includes("order-0"));
  });
});

describe("sample gateways", () => {
  const line = (quantity: number) => [{ sku: "A", quantity, unitPriceMinor: 1 }];

  it("keep stock right under any sequence of repeated requests", async () => {
    const step = fc.record({
      key: fc.constantFrom("a", "b", "c", "d"),
      release: fc.boolean(),
      quantity: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const inventory = new SampleInventory({ A: 8 });
        const reserved = new Map<string, number>();
        for (const { key, release, quantity } of steps) {
          if (release) {
            await inventory.release(key);
            reserved.set(key, 0);
          } else {
            const accepted = await inventory.reserve(key, line(quantity)).then(
              () => true,
              () => false,
            );
            if (accepted && !reserved.has(key)) reserved.set(key, quantity);
          }
          const held = [...reserved.values()].reduce((sum, pieces) => sum + pieces, 0);
          assert.equal(inventory.available("A"), 8 - held);
        }
      }),
    );
  });

  it("count the lines of one article together", async () => {
    const inventory = new SampleInventory({ A: 3 });
    await assert.rejects(inventory.reserve("k", [...line(2), ...line(2)]), refusal("OutOfStock"));
    assert.equal(inventory.available("A"), 3);
  });

  it("charge once per key and refund once", async () => {
    const payment = new SamplePayment();
    const request = { amountMinor: 100, currency: "EUR", cardToken: "tok_accepted" };
    const first = await payment.charge("k", request);
    assert.deepEqual(await payment.charge("k", request), first);
    assert.equal(payment.balanceMinor, 100);
    await payment.refund("k");
    await payment.refund("k");
    assert.equal(payment.balanceMinor, 0);
    await assert.rejects(
      payment.charge("d", { ...request, cardToken: DECLINED_CARD }),
      refusal("CardDeclined"),
    );
  });

  it("refuse a step that arrives after it was taken back", async () => {
    const carrier = new SampleCarrier();
    await carrier.recall("late");
    const parcel = { address: sampleOrder().address, lines: [] };
    await assert.rejects(carrier.ship("late", parcel), refusal("RequestVoided"));
    await carrier.ship("k", parcel);
    await carrier.recall("k");
    assert.equal(carrier.parcels, 0);
  });

  it("forget the oldest keys first", () => {
    const log = new RequestLog<number>(2);
    for (const [index, key] of ["a", "b", "c"].entries()) log.once(key, () => index);
    assert.equal(
      log.once("c", () => 9),
      2,
    );
    assert.equal(
      log.once("a", () => 9),
      9,
    );
  });
});
