import assert from "node:assert/strict";
import fc from "fast-check";
import { clusterProblem, clusterWarning } from "../../components/guards/cluster";
import { type NamespaceLookup, ownershipProblem } from "../../components/guards/namespaceOwnership";
import { monitoringProblem, type ResourceTypesLookup } from "../../components/guards/monitoringGuard";
import { storageClassProblems } from "../../components/guards/storageClass";
import {
  clusterProblems,
  type PostgresLookup,
  placeProblems,
  postgresOfCluster,
  recreationProblems,
  upgradeProblems,
  wantedPostgres,
} from "../../components/guards/postgresGuard";
import { changeProblems, recordOf } from "../../components/guards/record";
import {
  namespacesOfSchedule,
  recordedNamespaces,
  temporalNamespaceProblems,
} from "../../components/guards/temporalNamespacesGuard";
import { serverOfRelease, serverProblems, wantedServer } from "../../components/guards/temporalServerGuard";
import { clusterSpec } from "../../components/manifests/postgresClusterManifests";
import { namespacesJob } from "../../components/manifests/temporalNamespacesManifests";
import { temporalValues } from "../../components/manifests/temporalValues";
import type { Values } from "../harness";
import { chartSettings, managedSettings } from "./samples";

const version = (tag: string) => ({
  images: { server: `temporalio/server:${tag}`, adminTools: `temporalio/admin-tools:${tag}` },
});
const namespaces = (...entries: Values[]) => ({ namespace: "default", namespaces: entries });

function serverChange(before: Values, after: Values): string[] {
  return serverProblems(
    wantedServer(chartSettings(before).server),
    wantedServer(chartSettings(after).server),
  );
}

function namespaceChange(before: Values, after: Values): string {
  const deployed = recordedNamespaces(chartSettings(namespaces({ name: "default", ...before })).server);
  const { server } = chartSettings(namespaces({ name: "default", ...after }));
  return temporalNamespaceProblems(deployed, server.namespaces).join("\n");
}

function postgresChange(before: Values, after: Values): string {
  const [deployed, wanted] = [before, after].map((changes) =>
    wantedPostgres(chartSettings({}, changes).settings),
  );
  assert.ok(deployed && wanted);
  return [...clusterProblems(deployed, wanted), ...placeProblems(deployed, wanted, false)].join("\n");
}

describe("guard of the server", () => {
  const immutable: readonly [key: string, before: Values, after: Values][] = [
    ["historyShards", { historyShards: 512 }, { historyShards: 1024 }],
    ["cluster.name", { cluster: { name: "a" } }, { cluster: { name: "b" } }],
    ["cluster.initialFailoverVersion", {}, { cluster: { initialFailoverVersion: 2 } }],
    ["cluster.failoverVersionIncrement", {}, { cluster: { failoverVersionIncrement: 100 } }],
  ];
  for (const [key, before, after] of immutable) {
    it(`refuses another ${key}, and says both values`, () => {
      const [problem = "", ...rest] = serverChange(before, after);
      assert.deepEqual(rest, []);
      assert.match(
        problem,
        new RegExp(
          `^temporal-stack:temporal\\.${key.replace(".", "\\.")}: deployed is \\w+, found \\w+;.*set it back`,
        ),
      );
      assert.deepEqual(serverChange(after, after), []);
    });
  }

  it("takes a version exactly if it is at most one minor away", () => {
    const minor = fc.integer({ min: 25, max: 40 });
    fc.assert(
      fc.property(minor, minor, fc.nat(9), (before, after, patch) => {
        const problems = serverChange(version(`1.${before}.3`), version(`1.${after}.${patch}`));
        assert.equal(problems.length === 0, Math.abs(before - after) <= 1);
      }),
      { numRuns: 60 },
    );
  });

  it("names the way for a skipped minor and for one too far back", () => {
    assert.match(
      serverChange(version("1.29.1"), version("1.31.2")).join(),
      /deployed is 1\.29\.1, found 1\.31\.2.*latest 1\.30 first/,
    );
    assert.match(
      serverChange(version("1.31.2"), version("1.29.1")).join(),
      /go back to 1\.30 at most, or restore/,
    );
    assert.match(serverChange(version("1.31.2"), version("2.0.0")).join(), /one minor version at a time/);
  });

  it("reads in the inputs of a Release what was deployed", () => {
    const { server } = chartSettings({ cluster: { name: "orders", failoverVersionIncrement: 100 } });
    const values = temporalValues(server, {
      serviceAccount: "x",
      postgres: {
        host: "h",
        port: 1,
        databases: { default: "d", visibility: "v" },
        user: "u",
        password: { secretName: "s", key: "k" },
        ca: undefined,
        verifyTls: "full",
        clientCertificate: undefined,
        connectAttributes: {},
        passwordChecksum: "c",
      },
    });
    assert.deepEqual(serverOfRelease({ values }), wantedServer(server));
    assert.deepEqual(serverOfRelease({ values: { other: 1 } }), {});
  });
});

describe("guard of Postgres", () => {
  it("lets volumes grow and never shrink", () => {
    const size = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(size, size, (before, after) => {
        const message = postgresChange(
          { storage: { size: `${before}Gi` }, walStorage: { size: `${after}Gi` } },
          { storage: { size: `${after}Gi` }, walStorage: { size: `${after}Gi` } },
        );
        assert.equal(message === "", after >= before, message);
      }),
      { numRuns: 60 },
    );
    assert.match(
      postgresChange({ storage: { size: "2Gi" } }, { storage: { size: "1536Mi" } }),
      /postgres\.storage\.size: deployed is 2Gi, found 1536Mi; .*at least 2Gi/,
    );
    assert.match(
      postgresChange({ walStorage: { size: "2Gi" } }, {}),
      /walStorage: deployed is 2Gi, found nothing/,
    );
  });

  it("lets the major version go up and never back", () => {
    assert.equal(postgresChange({ image: "postgres:16.1" }, { image: "postgres:17.6" }), "");
    assert.match(
      postgresChange({ image: "postgres:17.0" }, { image: "postgres:16.9" }),
      /PostgreSQL 17 .*found 16/,
    );
  });

  it("refuses a major version to which pg_upgrade would fail, and names the way", () => {
    const upgrade = (before: string, after: string) => upgradeProblems(before, `postgres:${after}`).join();
    assert.match(
      upgrade("16.15-standard-trixie", "17.11-standard-bookworm"),
      /release of Debian.*go to 17\.11-standard-trixie first, then to bookworm/,
    );
    assert.equal(upgrade("16.15-standard-bookworm", "16.15-standard-trixie"), "");
    for (const tag of ["17.0", "17.5-standard-trixie"]) {
      assert.match(upgrade("16.15-standard-trixie", tag), /max_slot_wal_keep_size.*take 17\.6 or newer/);
      assert.equal(upgrade("17.1", tag), "");
    }
    for (const tag of ["17.6", "17.10-standard-trixie", "18.0"]) assert.equal(upgrade("16.15", tag), "");
    const before = recordOf(chartSettings({}, { image: "postgres:16.15" }).settings);
    assert.match(
      changeProblems(before, chartSettings({}, { image: "postgres:17.2" }).settings).join(),
      /17\.6 or newer/,
    );
  });

  it("keeps the data where it is, unless the stack may be thrown away", () => {
    const here = wantedPostgres(chartSettings().settings);
    const there = wantedPostgres(managedSettings());
    assert.ok(here && there);
    assert.match(
      placeProblems(here, there, false).join(),
      /cluster temporal\/temporal-pg, found managed postgres\.example/,
    );
    assert.match(placeProblems(here, undefined, false).join(), /found nothing/);
    assert.deepEqual(placeProblems(here, there, true), []);
    assert.match(postgresChange({}, { name: "other" }), /the data would stay behind/);
  });

  it("creates a Cluster that was deployed only where it still exists, or may be thrown away", () => {
    const here = wantedPostgres(chartSettings().settings);
    const other = wantedPostgres(chartSettings({}, { name: "other" }).settings);
    const problems = (deployed = here, disposable = false, lookup: PostgresLookup = { found: "none" }) =>
      recreationProblems(deployed, here, disposable, 1, lookup).join();
    assert.match(
      problems(),
      /Cluster temporal\/temporal-pg was deployed .*created empty.*deletionProtection to "false"/,
    );
    assert.match(problems(here, false, { found: "unknown", reason: "no route" }), /still exists: no route/);
    assert.equal(problems(here, false, { found: "cluster" }), "");
    assert.equal(problems(here, true), "");
    assert.equal(problems(other), "");
    assert.equal(problems(wantedPostgres(managedSettings())), "");
    assert.deepEqual(recreationProblems(undefined, here, false, 1, { found: "none" }), []);
  });

  it("changes a password by one, of the role that nobody uses", () => {
    const credentials = (loginRole: string, a: number, b: number) => ({
      credentials: { loginRole, passwordGenerations: { a, b } },
    });
    const allowed: readonly [Values, Values][] = [
      [credentials("a", 1, 1), credentials("a", 1, 2)],
      [credentials("a", 1, 2), credentials("b", 1, 2)],
      [credentials("b", 1, 2), credentials("b", 2, 2)],
    ];
    for (const [before, after] of allowed) assert.equal(postgresChange(before, after), "");
    assert.match(postgresChange(credentials("a", 1, 1), credentials("a", 2, 1)), /uses role a now/);
    assert.match(postgresChange(credentials("a", 1, 1), credentials("a", 1, 3)), /one at a time: set 2/);
    assert.match(postgresChange(credentials("a", 1, 2), credentials("a", 1, 1)), /never goes down: set 2/);
    assert.match(
      postgresChange(credentials("a", 1, 1), credentials("b", 1, 2)),
      /new password first, then the role/,
    );
  });

  it("reads in the inputs of a Cluster what was deployed", () => {
    const { settings, cluster } = chartSettings({}, { walStorage: { size: "2Gi" } });
    const { tag, storageSize, walStorageSize } = wantedPostgres(settings) ?? {};
    assert.deepEqual(postgresOfCluster({ spec: clusterSpec(cluster) }), { tag, storageSize, walStorageSize });
    assert.deepEqual(postgresOfCluster({}), {});
  });
});

describe("guard of the Temporal namespaces", () => {
  it("shortens a retention only if the very number is acknowledged", () => {
    assert.match(
      namespaceChange({ retentionDays: 30 }, { retentionDays: 7 }),
      /namespaces\[0\]\.retentionDays: deployed is 30, found 7; .*shortenRetentionToDays: 7/,
    );
    assert.match(
      namespaceChange({ retentionDays: 30 }, { retentionDays: 7, shortenRetentionToDays: 14 }),
      /deployed is 30/,
    );
    assert.equal(namespaceChange({ retentionDays: 30 }, { retentionDays: 7, shortenRetentionToDays: 7 }), "");
    assert.equal(namespaceChange({ retentionDays: 7 }, { retentionDays: 30 }), "");
  });

  it("adds search attributes, and neither removes nor changes them", () => {
    const attributes = (searchAttributes: Values) => ({ searchAttributes });
    assert.equal(namespaceChange(attributes({ A: "Int" }), attributes({ A: "Int", B: "Bool" })), "");
    assert.match(
      namespaceChange(attributes({ A: "Int" }), attributes({})),
      /searchAttributes\.A: deployed is Int, found nothing/,
    );
    assert.match(
      namespaceChange(attributes({ A: "Int" }), attributes({ A: "Bool" })),
      /deployed is Int, found Bool/,
    );
  });

  it("removes no namespace", () => {
    const deployed = recordedNamespaces(
      chartSettings(namespaces({ name: "default" }, { name: "old" })).server,
    );
    const { server } = chartSettings(namespaces({ name: "default" }));
    assert.match(
      temporalNamespaceProblems(deployed, server.namespaces).join(),
      /namespace "old", found none/,
    );
  });

  it("reads in the inputs of the CronJob what was deployed", () => {
    const { settings, server } = chartSettings(
      namespaces({ name: "default", searchAttributes: { A: "Int" } }),
    );
    const spec = { jobTemplate: { spec: namespacesJob(settings, server, "account") } };
    assert.deepEqual(namespacesOfSchedule({ spec }), recordedNamespaces(server));
    assert.deepEqual(namespacesOfSchedule({}), []);
  });
});

describe("record of the stack", () => {
  it("refuses nothing when nothing changes, also as it comes back from the state", () => {
    for (const settings of [chartSettings().settings, managedSettings()]) {
      const stored: unknown = JSON.parse(JSON.stringify(recordOf(settings)));
      assert.deepEqual(stored, recordOf(settings));
      assert.deepEqual(changeProblems(recordOf(settings), settings), []);
    }
  });

  it("reports all problems at once", () => {
    const before = recordOf(chartSettings({}, { storage: { size: "20Gi" } }).settings);
    const { settings } = chartSettings({
      historyShards: 4,
      ...namespaces({ name: "default", retentionDays: 1 }),
    });
    assert.equal(changeProblems(before, settings).length, 3);
  });

  it("binds nothing of a new database to the old one, where data may be thrown away", () => {
    const before = recordOf(chartSettings().settings);
    const after = chartSettings({ historyShards: 4 }, { name: "fresh" }).settings;
    assert.deepEqual(changeProblems(before, { ...after, deletionProtection: false }), []);
    assert.equal(changeProblems(before, after).length, 1);
  });
});

describe("guard of the Kubernetes namespaces", () => {
  const settings = (adopt: string[] = []) => ({
    stack: "prod",
    namespaces: { temporal: "temporal", workers: "workers", adopt },
  });
  const own = { "temporal-stack/stack": "prod", "temporal-stack/stack-id": "one" };
  const labelled = (labels: Record<string, string>) => ({ found: "namespace", labels }) as const;

  it("takes a new one, one of its own, and one that may be adopted", () => {
    const takes = (adopt: string[], lookup: NamespaceLookup, id?: string) =>
      ownershipProblem(settings(adopt), "temporal", lookup, id) === undefined;
    assert.ok(takes([], { found: "none" }));
    assert.ok(takes([], labelled(own), "one"), "an update that was killed before it wrote the state");
    assert.ok(takes(["temporal"], labelled({})));
    assert.ok(takes(["temporal"], labelled(own), "two"));
  });

  it("takes what an administrator reserved for it, until another has it", () => {
    const reserved = { "temporal-stack/reserved-for": "prod" };
    for (const id of [undefined, "one"])
      assert.equal(ownershipProblem(settings(), "temporal", labelled(reserved), id), undefined);
    assert.ok(ownershipProblem(settings(), "temporal", labelled({ ...reserved, ...own }), "two"));
    assert.ok(
      ownershipProblem(settings(), "temporal", labelled({ "temporal-stack/reserved-for": "dev" }), "one"),
    );
  });

  it("refuses that of another stack of its name, also before it has an id, and one of an older program", () => {
    for (const [labels, id] of [
      [own, "two"],
      [own, undefined],
      [{ "temporal-stack/stack": "prod" }, "two"],
      [{ "temporal-stack/stack": "prod" }, undefined],
    ] as const) {
      assert.match(
        ownershipProblem(settings(), "temporal", labelled(labels), id) ?? "",
        /belongs to another stack of the name "prod".*state of this stack was lost.*namespaces\.adopt/,
      );
    }
  });

  it("refuses a stranger's and another stack's", () => {
    assert.match(
      ownershipProblem(settings(), "temporal", labelled({ team: "x" }), "one") ?? "",
      /"temporal" exists already and is not of this program; .*namespaces\.adopt/,
    );
    assert.match(
      ownershipProblem(settings(), "temporal", labelled({ "temporal-stack/stack": "dev" }), "one") ?? "",
      /belongs to stack "dev"/,
    );
  });
});

describe("guard of the storage classes", () => {
  const volumes = { "postgres.storage": { storageClass: "fast" }, "postgres.walStorage": {} };
  const classes = (names: string[], hasDefault: boolean) =>
    storageClassProblems(volumes, { found: "classes", names, hasDefault });

  it("takes a class that is there, and the default where none is named", () => {
    assert.deepEqual(classes(["slow", "fast"], true), []);
    assert.deepEqual(storageClassProblems(volumes, { found: "unknown", reason: "silence" }), []);
  });

  it("names every volume that would wait for its class, and what there is to choose from", () => {
    assert.deepEqual(classes(["slow"], false), [
      'temporal-stack:postgres.storage.storageClass: the cluster has no class "fast": it has slow',
      "temporal-stack:postgres.walStorage.storageClass: the cluster has no default class, so name one: it has slow",
    ]);
    assert.match(classes([], true).join(), /it has none/);
  });
});

describe("guard of the Prometheus operator's resource types", () => {
  const group = "monitoring.coreos.com";
  const problem = (lookup: ResourceTypesLookup) => monitoringProblem(group, ["podmonitors"], lookup);

  it("takes a cluster that has them, and one that does not answer", () => {
    assert.equal(problem({ found: "types", plurals: ["podmonitors", "probes"] }), undefined);
    assert.equal(problem({ found: "unknown", reason: "silence" }), undefined);
  });

  it("names what is missing and both ways out", () => {
    const expected =
      'temporal-stack:monitoring.mode: the cluster has no resource type podmonitors.monitoring.coreos.com; install the Prometheus operator, or set monitoring.mode to "none"';
    assert.equal(problem({ found: "none" }), expected);
    assert.equal(problem({ found: "types", plurals: ["probes"] }), expected);
  });
});

describe("guard of the cluster", () => {
  const settings = (clusterUid?: string) => ({ stack: "prod", kubernetes: { clusterUid } });
  const cluster = (uid: string) => ({ found: "cluster", uid }) as const;
  const closed = { found: "forbidden", reason: "the API server answers 403" } as const;
  const silent = { found: "unknown", reason: "ECONNREFUSED" } as const;

  it("takes a new stack's cluster, the recorded one, and the one that the settings name", () => {
    assert.equal(clusterProblem(settings(), undefined, cluster("a")), undefined);
    assert.equal(clusterProblem(settings(), "a", cluster("a")), undefined);
    assert.equal(clusterProblem(settings("b"), "a", cluster("b")), undefined);
    for (const lookup of [closed, silent]) assert.equal(clusterProblem(settings(), "a", lookup), undefined);
  });

  it("refuses another, and names the setting that acknowledges the move", () => {
    assert.match(
      clusterProblem(settings(), "a", cluster("b")) ?? "",
      /leads to the cluster b .*stack "prod" is deployed to the cluster a\..*kubernetes\.clusterUid to b/,
    );
    for (const recorded of [undefined, "a", "b"])
      assert.match(clusterProblem(settings("a"), recorded, cluster("b")) ?? "", /clusterUid is a\./);
  });

  it("says what it cannot compare", () => {
    assert.equal(clusterWarning("a", cluster("a")), undefined);
    assert.match(clusterWarning(undefined, cluster("a")) ?? "", /no record .*clusterUid to a/);
    assert.match(clusterWarning(undefined, closed) ?? "", /403; npm run deployer/);
    assert.match(clusterWarning("a", silent) ?? "", /ECONNREFUSED$/);
    assert.equal(clusterWarning(undefined, silent), undefined, "the first deployment fails by itself");
  });
});
