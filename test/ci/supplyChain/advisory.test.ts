import assert from "node:assert/strict";
import { advisorySchema, match } from "../../../ci/supplyChain/advisory";
import type { Component } from "../../../ci/supplyChain/components";
import { advisory, CRITICAL, deb, LOW, npm } from "./advisories";

describe("advisory", () => {
  const affects = (component: Component, ...events: Readonly<Record<string, string>>[]) =>
    match(advisorySchema.parse(advisory("X-1", component, { events })), component) !== undefined;

  it("is about the versions of its ranges", () => {
    const range = [
      { introduced: "1.2.0" },
      { fixed: "1.2.9" },
      { introduced: "2.0.0" },
      { last_affected: "2.1.0" },
    ];
    const vulnerable = {
      "1.1.9": false,
      "1.2.0": true,
      "1.2.8": true,
      "1.2.9": false,
      "2.1.0": true,
      "2.1.1": false,
    };
    for (const [version, expected] of Object.entries(vulnerable)) {
      assert.equal(affects(npm("a", version), ...range), expected, version);
      assert.equal(affects(npm("a", version), ...[...range].reverse()), expected, version);
    }
    assert.ok(!affects(npm("a", "1.2.0-rc.1"), ...range));
    assert.ok(affects(npm("a", "0.0.1"), { introduced: "0" }));
    assert.ok(affects(npm("a", "1.0.0"), { introduced: "1.0.0" }, { last_affected: "1.0.0" }));
  });

  it("is about versions as Debian orders them", () => {
    const range = [{ introduced: "0" }, { fixed: "2.41-12+deb13u1" }];
    assert.ok(affects(deb("glibc", "2.41-9"), ...range));
    assert.ok(affects(deb("glibc", "2.41-12"), ...range));
    assert.ok(!affects(deb("glibc", "2.41-12+deb13u1"), ...range));
    assert.ok(!affects(deb("glibc", "1:2.0-1"), ...range));
  });

  it("is about a version that cannot be compared", () => {
    assert.ok(affects(npm("a", "1.0.0"), { introduced: "not a version" }));
  });

  it("is about nothing once it is withdrawn, and about no other package or release", () => {
    const parsed = advisorySchema.parse(advisory("X-1", deb("glibc", "1")));
    assert.ok(match(parsed, deb("glibc", "1")));
    assert.equal(match({ ...parsed, withdrawn: "2026-01-01T00:00:00Z" }, deb("glibc", "1")), undefined);
    assert.equal(match(parsed, deb("zlib", "1")), undefined);
    assert.equal(match(parsed, { ...deb("glibc", "1"), ecosystem: "Debian:12" }), undefined);
  });

  it("has the level of its worst score, or that of its words", () => {
    const levelOf = (id: string, more: Readonly<Record<string, unknown>>) =>
      match(advisorySchema.parse(advisory(id, npm("a", "1.0.0"), more)), npm("a", "1.0.0"))?.level;
    const scores = (...vectors: string[]) => ({
      severity: vectors.map((score) => ({ type: "CVSS_V3", score })),
    });
    assert.equal(levelOf("X", scores(LOW, CRITICAL)), "critical");
    assert.equal(levelOf("X", scores(LOW)), "low");
    assert.equal(
      levelOf("X", scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")),
      "critical",
    );
    assert.equal(levelOf("X", { severity: [], database_specific: { severity: "MODERATE" } }), "medium");
    assert.equal(levelOf("X", scores("CVSS:3.1/AV:N", "nonsense")), "unknown");
    assert.equal(levelOf("MAL-2026-1", scores()), "critical");
  });
});
