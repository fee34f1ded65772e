import assert from "node:assert/strict";
import { diagnose } from "../../src/diagnosis";

describe("diagnosis of a connection", () => {
  const timeout = (address: string): string => {
    const connection = { address, apiKey: undefined, tls: undefined, compression: "none" as const };
    return diagnose(new Error("no connection within 5 s"), { connection, namespace: "shop" }).message;
  };

  it("names DNS, too, when nothing answers in time, unless the address needs none", () => {
    assert.match(
      timeout("temporal-frontend.temporal.svc:7233"),
      /DNS may not answer for its name, or a firewall/,
    );
    for (const address of ["192.0.2.1:7233", "[2001:db8::1]:7233"]) {
      assert.match(timeout(address), /does not answer in time: a firewall/);
      assert.doesNotMatch(timeout(address), /DNS/);
    }
  });
});
