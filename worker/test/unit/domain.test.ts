import assert from "node:assert/strict";
import fc from "fast-check";
import { BusinessError } from "../../src/domain/errors";
import {
  accountInputProblems,
  addPurchase,
  EMPTY_ACCOUNT,
  isPurchase,
  REMEMBERED_ORDERS,
} from "../../src/domain/loyalty";
import type { Order } from "../../src/domain/order";
import {
  addressProblems,
  APPROVAL_THRESHOLD_MINOR,
  approvalProblems,
  cancellationReason,
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
      "address.name",
      "address.street",
      "address.city",
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

  it("derives idempotency keys from workflow, run and step", () => {
    assert.equal(idempotencyKey("order-1", "run-1", "charge"), "order-1/run-1/charge");
  });

  it("is told from anything else that somebody may send, without tripping over it", () => {
    const anything = fc.oneof(fc.anything(), fc.jsonValue());
    fc.assert(
      fc.property(anything, (sent) => {
        assert.notDeepEqual(orderProblems(sent), []);
        assert.notDeepEqual(addressProblems(sent), []);
        assert.notDeepEqual(approvalProblems(sent), []);
        assert.equal(cancellationReason(sent), "no reason given");
      }),
    );
    assert.deepEqual(orderProblems({}), [
      "customerId: expected a non-empty string",
      "currency: expected three capital letters (ISO 4217)",
      "cardToken: expected a non-empty string",
      "address: expected an object",
      "lines: expected a list",
    ]);
  });

  it("is told from one of which any part is something else", () => {
    const order = sampleOrder();
    const wrong: readonly unknown[] = [undefined, null, {}, [], "", Number.NaN, -1];
    for (const name of Object.keys(order)) {
      for (const value of wrong) {
        // These may be left out, or are an order's own defaults.
        if (value === undefined && ["fulfilmentDelaySeconds", "collectsPoints"].includes(name)) continue;
        const problems = orderProblems({ ...order, [name]: value });
        assert.ok(
          problems.length > 0 && problems.every((it) => it.startsWith(name)),
          `${name}: ${String(value)}`,
        );
      }
    }
    for (const part of [null, 1, "line", []]) {
      assert.deepEqual(orderProblems({ ...order, lines: [part] }), ["lines[0]: expected an object"]);
    }
  });

  it("refuses a total that is not exact any more", () => {
    const [line] = sampleOrder().lines;
    assert.ok(line);
    const lines = [{ ...line, quantity: Number.MAX_SAFE_INTEGER, unitPriceMinor: 2 }];
    assert.deepEqual(orderProblems({ ...sampleOrder(), lines }), [
      "lines: the total is too large to be exact",
    ]);
  });

  it("is cancelled for the reason that is given, and for none as well", () => {
    assert.equal(cancellationReason({ reason: "ordered twice" }), "ordered twice");
    for (const none of [{}, { reason: "" }, { reason: 1 }]) {
      assert.equal(cancellationReason(none), "no reason given");
    }
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

  it("opens with what another run hands on, or with nothing, and with nothing else", () => {
    const account = addPurchase(EMPTY_ACCOUNT, { orderId: "a", totalMinor: 250 });
    for (const input of [undefined, {}, { maxHistoryEvents: 8 }, { account, maxHistoryEvents: 2000 }]) {
      assert.deepEqual(accountInputProblems(input), [], JSON.stringify(input));
    }
    for (const input of [
      null,
      "account",
      [],
      { account: {} },
      { account: null },
      { account: { ...account, recentOrderIds: "a" } },
      { account: { ...account, points: Number.NaN } },
      { maxHistoryEvents: 7 },
      { maxHistoryEvents: "2000" },
    ]) {
      assert.notDeepEqual(accountInputProblems(input), [], JSON.stringify(input));
    }
    fc.assert(fc.property(fc.anything(), (sent) => Array.isArray(accountInputProblems(sent))));
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

  it("take the order of a second run for another one, whatever became of the first", async () => {
    const payment = new SamplePayment();
    const key = (run: string) => idempotencyKey("order-1", run, "charge");
    const request = { amountMinor: 100, currency: "EUR", cardToken: "tok_accepted" };
    await payment.charge(key("first"), request);
    await payment.charge(key("second"), { ...request, amountMinor: 900 });
    assert.equal(payment.balanceMinor, 1000);
    await payment.refund(key("first"));
    await payment.charge(key("third"), request);
    assert.equal(payment.balanceMinor, 1000);
  });

  it("refuse a step that arrives after it was voided", async () => {
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
