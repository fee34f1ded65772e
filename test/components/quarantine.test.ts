import assert from "node:assert/strict";
import {
  quarantineAfter,
  quarantineProblem,
  type Quarantined,
} from "../../components/guards/quarantineGuard";
import { type Release, releasesOutput, withRelease } from "../../components/guards/releases";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const held = (changes: Partial<Quarantined> = {}): Quarantined => ({
  digest: DIGEST,
  sources: "0123456789abcdef",
  since: "2026-01-31T12:00:00.000Z",
  reason: "orders failed",
  ...changes,
});

describe("quarantine", () => {
  it("keeps what was there, takes what is added, once, and lets go what is released", () => {
    const other = held({ digest: OTHER, sources: null });
    const added = { digest: OTHER, since: other.since, reason: other.reason };
    const once = quarantineAfter([held()], { add: [added], release: [] });
    assert.deepEqual(once, [held(), other]);
    assert.deepEqual(quarantineAfter(once, { add: [added], release: [] }), once);
    const release = [{ digest: DIGEST, since: held().since, reason: "the test was wrong" }];
    assert.deepEqual(quarantineAfter(once, { add: [], release }), [other]);
  });

  it("holds an image that went into it again after its release", () => {
    const release = [{ digest: DIGEST, since: held().since, reason: "the test was wrong" }];
    const again = held({ since: "2026-02-01T12:00:00.000Z", reason: "it was not" });
    assert.deepEqual(quarantineAfter([again], { add: [], release }), [again]);
  });

  it("refuses the image, and a build of the same sources, and says how it is released", () => {
    const byDigest = quarantineProblem([held()], { digest: DIGEST }, "prod") ?? "";
    assert.match(
      byDigest,
      /^the worker image sha256:a+ is in quarantine since 2026-01-31.*: orders failed\./,
    );
    assert.ok(byDigest.includes(`npm run quarantine -- -s prod --release ${DIGEST} --reason`));
    const bySources = quarantineProblem([held()], { sources: "0123456789abcdef" }, "prod") ?? "";
    assert.match(bySources, /^what worker\/ is built into is in quarantine/);
  });

  it("lets every other image through, and sources that nobody knows", () => {
    assert.equal(
      quarantineProblem([held()], { digest: OTHER, sources: "fedcba9876543210" }, "prod"),
      undefined,
    );
    assert.equal(quarantineProblem([held({ sources: null })], { digest: OTHER }, "prod"), undefined);
    assert.equal(quarantineProblem([held()], {}, "prod"), undefined);
  });
});

describe("releases of a stack", () => {
  const release = (changes: Partial<Release> = {}): Release => ({
    time: "2026-01-31T12:00:00.000Z",
    commit: "c".repeat(40),
    dirty: false,
    image: `registry/worker@${DIGEST}`,
    sources: null,
    images: {},
    payloadKeys: ["key-1"],
    deployed: {
      server: null,
      postgres: { mode: "managed", place: "host:5432/temporal", passwordGenerations: { b: 1, a: 1 } },
      namespaces: [],
    },
    ...changes,
  });
  const later = (changes: Partial<Release> = {}) => release({ time: "2026-02-01T12:00:00.000Z", ...changes });

  it("are not one more when an update changed nothing, in whatever order the state gives them back", () => {
    const reordered: unknown = JSON.parse(
      JSON.stringify(release(), (_, value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
          : value,
      ),
    );
    const previous = releasesOutput.parse([reordered]);
    assert.deepEqual(withRelease(previous, later()), previous);
  });

  it("are one more for another commit, image, setting of the data, or files that differ", () => {
    const changes: Partial<Release>[] = [
      { commit: "d".repeat(40) },
      { dirty: true },
      { image: `registry/worker@${OTHER}` },
      { payloadKeys: ["key-1", "key-2"] },
      { deployed: { server: null, postgres: null, namespaces: [] } },
    ];
    for (const change of changes) {
      assert.deepEqual(withRelease([release()], later(change)), [release(), later(change)]);
    }
  });

  it("are forgotten from the oldest on, so that the state does not grow without end", () => {
    let releases: Release[] = [];
    for (let n = 0; n < 60; n += 1) releases = withRelease(releases, release({ commit: String(n) }));
    assert.equal(releases.length, 50);
    assert.deepEqual([releases[0]?.commit, releases.at(-1)?.commit], ["10", "59"]);
  });
});
