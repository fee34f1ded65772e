import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { isHeld, locksNamed } from "../../common/stackLocks";
import { requireCluster } from "../../ops/stack/kubeConfig";
import { forgetRevision, helmReleases, stuckReleases } from "../../common/stuckReleases";
import { folderOf } from "../../ops/recover/locks";
import { describeFindings } from "../../ops/recover/recoverUpdate";

const GONE = 2 ** 30;

describe("recovery of a stack", () => {
  let server: Server;
  let config: KubeConfig;
  const requests: string[] = [];
  /** As Helm's driver labels what it stores. */
  const stored = (namespace: string, name: string, version: number, status: string) => ({
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace,
      labels: { owner: "helm", name, version: String(version), status },
      creationTimestamp: "2026-01-31T12:00:00Z",
    },
  });
  const secrets = [
    stored("temporal", "temporal", 1, "superseded"),
    stored("temporal", "temporal", 2, "deployed"),
    stored("temporal", "temporal", 3, "pending-upgrade"),
    stored("temporal", "somebody-elses", 1, "pending-install"),
    stored("cnpg-system", "cloudnative-pg", 1, "deployed"),
    stored("first", "temporal", 1, "pending-install"),
    stored("finished", "temporal", 1, "deployed"),
    stored("failed", "temporal", 1, "failed"),
    stored("long", "temporal", 1, "superseded"),
    stored("long", "temporal", 2, "deployed"),
  ];

  /** Answers as an API server does: lists by namespace and labels. */
  before(async () => {
    server = createServer((request, response) => {
      requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
      const url = new URL(request.url ?? "", "http://localhost");
      const namespace = /^\/api\/v1\/namespaces\/([^/]+)\/secrets$/.exec(url.pathname)?.[1];
      const selector = url.searchParams.get("labelSelector") ?? "";
      const name = /name=([^,]+)/.exec(selector)?.[1];
      const items = secrets.filter(
        ({ metadata: { labels, namespace: own } }) => own === namespace && labels.name === name,
      );
      if (request.method === "DELETE" && url.pathname.endsWith("/gone")) response.statusCode = 404;
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify(namespace === undefined ? { kind: "Status" } : { kind: "SecretList", items }),
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    config = new KubeConfig();
    const { port } = server.address() as AddressInfo;
    const cluster = { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: "test" });
  });
  after(() => server.close());

  it("finds the Helm releases of the stack that were interrupted, and no others", async () => {
    const found = await stuckReleases(config, [
      { name: "temporal", namespace: "temporal", origin: "recorded" },
      { name: "cloudnative-pg", namespace: "cnpg-system", origin: "recorded" },
    ]);
    const { created, ...rest } = found[0] ?? {};
    assert.equal(found.length, 1);
    assert.deepEqual(rest, {
      namespace: "temporal",
      name: "temporal",
      status: "pending-upgrade",
      revision: "3",
      secret: "sh.helm.release.v1.temporal.v3",
    });
    assert.equal(created?.toISOString(), "2026-01-31T12:00:00.000Z");
  });

  it("forgets the revision that was not finished, and nothing else", async () => {
    const [stuck] = await stuckReleases(config, [
      { name: "temporal", namespace: "temporal", origin: "recorded" },
    ]);
    assert.ok(stuck);
    requests.length = 0;
    await forgetRevision(config, stuck);
    assert.deepEqual(requests, ["DELETE /api/v1/namespaces/temporal/secrets/sh.helm.release.v1.temporal.v3"]);
    // Another recovery, or the Helm that was still at work, was faster.
    await forgetRevision(config, { ...stuck, secret: "gone" });
  });

  it("finds a first install that was killed, whatever became of it, as its name is taken", async () => {
    const statusIn = async (namespace: string, origin: "creating" | "unrecorded" | "recorded") => {
      const found = await stuckReleases(config, [{ name: "temporal", namespace, origin }]);
      return found.map(({ status }) => status);
    };
    assert.deepEqual(await statusIn("first", "creating"), ["pending-install"]);
    assert.deepEqual(await statusIn("finished", "creating"), ["deployed"]);
    assert.deepEqual(await statusIn("failed", "creating"), ["failed"]);
    // An interrupted creation has no second revision: this is somebody else's.
    assert.deepEqual(await statusIn("long", "creating"), []);
    assert.deepEqual(await statusIn("first", "unrecorded"), ["pending-install"]);
    assert.deepEqual(await statusIn("finished", "unrecorded"), []);
    assert.deepEqual(await statusIn("finished", "recorded"), []);
  });

  it("looks for the releases of the state, of interrupted creations, and of those that were cleared", () => {
    const release = (namespace: string, name: string) => ({
      type: "kubernetes:helm.sh/v3:Release",
      inputs: { namespace, name },
    });
    const namespace = (name: string) => ({
      type: "kubernetes:core/v1:Namespace",
      inputs: { metadata: { name } },
    });
    const deployment = {
      resources: [namespace("cnpg-system"), namespace("temporal"), release("cnpg-system", "cnpg")],
      pending_operations: [
        { type: "creating", resource: release("temporal", "temporal") },
        { type: "updating", resource: release("cnpg-system", "cnpg") },
        { type: "creating", resource: namespace("workers") },
      ],
    };
    assert.deepEqual(helmReleases({ deployment }, ["temporal", "cnpg"]), [
      { namespace: "cnpg-system", name: "cnpg", origin: "recorded" },
      { namespace: "temporal", name: "temporal", origin: "creating" },
      { namespace: "cnpg-system", name: "temporal", origin: "unrecorded" },
      { namespace: "temporal", name: "cnpg", origin: "unrecorded" },
    ]);
    assert.deepEqual(helmReleases({ deployment: {} }, ["temporal"]), []);
  });

  it("shows all that it found, and what it would do, before it does it", () => {
    const lock = { pid: 42, username: "ann", hostname: "host" };
    const stuck = {
      ...{ namespace: "temporal", name: "temporal", status: "pending-upgrade", revision: "3", secret: "s" },
      created: new Date(Date.UTC(2026, 0, 31, 12)),
    };
    const pending = [{ type: "creating", urn: "urn:pulumi:prod::x" }];
    assert.deepEqual(
      describeFindings({ locks: [lock], stuck: [stuck], pending }, Date.UTC(2026, 0, 31, 12, 20)),
      [
        "lock of process 42 of ann on host, which is gone: remove it",
        "Helm release temporal/temporal is pending-upgrade at revision 3, for 20 min: forget that revision",
        "creating of urn:pulumi:prod::x was interrupted: look in the cluster what became of it",
      ],
    );
    const unknown = { ...stuck, status: "deployed", revision: "1" };
    assert.deepEqual(
      describeFindings({ locks: [], stuck: [unknown], pending: [] }, Date.UTC(2026, 0, 31, 12, 20)),
      [
        "Helm release temporal/temporal is deployed at revision 1, for 20 min: the state knows nothing of it: forget that revision, and the next update installs over its objects",
      ],
    );
    assert.deepEqual(describeFindings({ locks: [], stuck: [], pending: [] }, 0), [
      "nothing was left behind by an interrupted update",
    ]);
  });

  it("says what it does not know while the cluster does not answer, and that only a lock can be removed", () => {
    const nothing = { locks: [], stuck: [], pending: [], unreachable: "the cluster x cannot be reached" };
    const lines = describeFindings(nothing, 0);
    assert.match(
      lines.join("\n"),
      /^the cluster x cannot be reached\nso nobody knows .* only a lock can be removed/,
    );
    assert.doesNotMatch(lines.join("\n"), /nothing was left behind/);
  });

  it("says what it cannot see on a backend that hides its locks", () => {
    const lines = describeFindings({ locks: undefined, stuck: [], pending: [] }, 0);
    assert.match(lines[0] ?? "", /cannot be seen on this backend/);
    assert.equal(lines.at(-1), "nothing else was left behind by an interrupted update");
  });

  it("takes a lock for left over only if its process was on this machine and is gone", () => {
    const lock = { pid: GONE, username: "ann", hostname: hostname() };
    assert.equal(isHeld(lock), false);
    assert.equal(isHeld({ ...lock, hostname: "another" }), true);
    // The number is in use, by another program.
    assert.equal(isHeld({ ...lock, pid: process.pid }), process.platform !== "linux");
  });

  it("reads who holds a lock from what the CLI says of one", () => {
    const message = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  s3://bucket/.pulumi/locks/organization/temporal-stack/prod/a.json: created by ann@host (pid 42) at 2026-01-01T00:00:00Z
  s3://bucket/.pulumi/locks/organization/temporal-stack/prod/b.json: created by bob@other (pid 43) at 2026-01-01T00:00:00Z`;
    assert.deepEqual(locksNamed(message), [
      { pid: 42, username: "ann", hostname: "host" },
      { pid: 43, username: "bob", hostname: "other" },
    ]);
    assert.deepEqual(locksNamed("error: something else"), []);
  });

  it("knows the folder of a backend of files, and of no other", () => {
    assert.equal(folderOf("file:///srv/state"), "/srv/state");
    assert.equal(folderOf("file:///srv/a%20b?no_tmp_dir=true"), "/srv/a b");
    assert.equal(folderOf("file://~"), homedir());
    assert.equal(folderOf("file://~/state"), join(homedir(), "state"));
    assert.equal(folderOf("s3://bucket"), undefined);
    assert.equal(folderOf("https://app.pulumi.com/ann"), undefined);
  });

  it("says that a cluster does not answer, and which", async () => {
    const closed = new KubeConfig();
    const cluster = { name: "gone", server: "http://127.0.0.1:1", skipTLSVerify: true };
    closed.loadFromClusterAndUser(cluster, { name: "test" });
    await assert.rejects(requireCluster(closed), /the cluster http:\/\/127\.0\.0\.1:1 cannot be reached/);
    await requireCluster(config);
  });
});
