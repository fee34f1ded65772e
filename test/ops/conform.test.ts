import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { candidateOf, leftOut, trialEnvironment } from "../../ops/conform/candidate";
import {
  buildFindings,
  configFindings,
  connectionFindings,
  healthFindings,
  metricsFindings,
  replayFindings,
  shutdownFindings,
  startFindings,
} from "../../ops/conform/findings";
import { pollersOf, type Trial } from "../../ops/conform/trial";
import { placeOf, readImageConfig } from "../../ops/doctor/registry";
import { stackSettings } from "../support/stackSettings";
import { verdicts } from "./doctor/cases";

const DIGEST = `sha256:${"1".repeat(64)}`;
const IMAGE = `registry.example.com/billing@${DIGEST}`;
const billing = {
  name: "billing",
  taskQueues: ["billing", "refunds"],
  image: "billing",
  namespace: undefined,
  args: ["-m", "billing"],
  ports: { health: 8081, metrics: 9090 },
};
const settingsWith = (group: object) =>
  stackSettings("prod", {
    images: {
      billing: { repository: "registry.example.com/billing", digest: DIGEST, platform: "linux/arm64" },
    },
    workers: [
      { name: "orders", taskQueues: ["orders"] },
      { ...billing, ...group },
    ],
  });
const candidateWith = (group: object) => candidateOf(settingsWith(group), IMAGE, "billing");
const candidate = candidateWith({});
const nobody = candidateOf(settingsWith({}), IMAGE, undefined);
const ended = { exitCode: 3, reason: "Error", said: "Read-only file system: '/app/cache'" };
const yes = { status: 200, text: "" };
const works: Trial = {
  polled: ["billing", "refunds"],
  buildIds: ["1.2.3"],
  health: { "/startupz": yes, "/livez": yes, "/readyz": yes },
  ready: true,
  metrics: { status: 200, text: 'temporal_worker_start{worker_type="x"} 1\n' },
  stopped: { exitCode: 0, seconds: 1.2 },
};
const config = {
  platforms: ["linux/arm64"],
  user: "65532:65532",
  command: ["python3", "-m", "x"],
  labels: {},
};

describe("npm run conform", () => {
  verdicts({
    "an image for the nodes of its group": [() => configFindings(config, candidate), "ok"],
    "one for other nodes": [
      () => configFindings({ ...config, platforms: ["linux/amd64"] }, candidate),
      "failed",
      /linux\/amd64.*nodes of linux\/arm64/,
    ],
    "one of root": [() => configFindings({ ...config, user: "" }, candidate), "warning", /so root/],
    "one of root by number": [() => configFindings({ ...config, user: "0:0" }, candidate), "warning"],
    "one that a shell starts": [
      () => configFindings({ ...config, command: ["/bin/sh", "-c", "python3"] }, candidate),
      "warning",
      /SIGTERM reaches the shell/,
    ],
    "a shell that the group's command replaces": [
      () => configFindings({ ...config, command: ["/bin/sh"] }, candidateWith({ command: ["/app"] })),
      "ok",
    ],
    "one that runs": [() => startFindings(works, candidate), "ok"],
    "one that ends": [() => startFindings({ ...works, ended }, candidate), "failed", /code 3.*Read-only/],
    "one whose group has secrets": [
      () => startFindings(works, candidateWith({ secrets: [{ secret: "db", key: "url", env: "DB_URL" }] })),
      "warning",
      /DB_URL/,
    ],
    "one that polls every queue": [() => connectionFindings(works, candidate), "ok"],
    "one that polls one of two": [
      () => connectionFindings({ ...works, polled: ["billing"] }, candidate),
      "failed",
      /does not poll refunds in namespace conform/,
    ],
    "health endpoints": [() => healthFindings(works, candidate), "ok", /port 8081/],
    "a health endpoint that nobody serves": [
      () => healthFindings({ ...works, health: { "/livez": yes, "/readyz": undefined } }, candidate),
      "failed",
      /\/readyz on port 8081 does not answer/,
    ],
    "one that says no": [
      () => healthFindings({ ...works, health: { "/readyz": { status: 503, text: "" } } }, candidate),
      "failed",
      /answers 503/,
    ],
    "no probes": [() => healthFindings(works, candidateWith({ probes: { mode: "none" } })), "warning"],
    "a readiness program that says no": [
      () =>
        healthFindings(
          { ...works, ready: false },
          candidateWith({ probes: { mode: "exec", startup: ["a"], liveness: ["a"], readiness: ["a"] } }),
        ),
      "failed",
    ],
    "health of one that ended": [() => healthFindings({ ...works, ended }, candidate), "not checked"],
    metrics: [() => metricsFindings(works, candidate), "ok", /port 9090/],
    "a page for people": [
      () => metricsFindings({ ...works, metrics: { status: 200, text: "<html>metrics</html>" } }, candidate),
      "warning",
      /no text format/,
    ],
    "no metrics": [() => metricsFindings({ ...works, metrics: undefined }, candidate), "warning"],
    "an end on SIGTERM": [() => shutdownFindings(works), "ok", /1\.2 s after SIGTERM/],
    "an end by SIGKILL": [
      () => shutdownFindings({ ...works, stopped: { exitCode: 137, seconds: 15 } }),
      "failed",
      /did not end on SIGTERM/,
    ],
    "an end that is late": [
      () => shutdownFindings({ ...works, stopped: { exitCode: 0, seconds: 12 } }),
      "failed",
      /12\.0 s after SIGTERM/,
    ],
    "an end by the signal itself": [
      () => shutdownFindings({ ...works, stopped: { exitCode: 143, seconds: 1 } }),
      "warning",
    ],
    "an end that nobody saw": [() => shutdownFindings({ ...works, stopped: undefined }), "not checked"],
    "a replay command": [() => replayFindings(candidateWith({ replay: { command: ["replay"] } })), "ok"],
    "no replay command": [() => replayFindings(candidate), "warning", /NOT CHECKED/],
    "no group": [() => replayFindings(nobody), "warning", /--group/],
    "a build id": [() => buildFindings(works, {}), "ok", /1\.2\.3/],
    "a label": [
      () => buildFindings({ ...works, buildIds: [] }, { "org.opencontainers.image.revision": "abc" }),
      "ok",
      /abc/,
    ],
    "no name at all": [() => buildFindings({ ...works, buildIds: [] }, undefined), "warning"],
  });

  it("gives an image the environment of its group, and a server and keys of its own", () => {
    const environment = trialEnvironment(
      settingsWith({ env: { MODE: "fast" } }),
      candidateWith({ env: { MODE: "fast" } }),
      "10.0.0.7",
    );
    const expected = {
      MODE: "fast",
      TEMPORAL_ADDRESS: "10.0.0.7:7233",
      TEMPORAL_NAMESPACE: "conform",
      TEMPORAL_TLS: "false",
      TEMPORAL_TASK_QUEUES: "billing,refunds",
      HEALTH_PORT: "8081",
      METRICS_BIND_ADDRESS: "0.0.0.0:9090",
      CODEC_ACTIVE_KEY: "conform",
      SHUTDOWN_FORCE_SECONDS: "5",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(environment[name], value, name);
  });

  it("gives no keys to a group that does not encrypt, and none of a server's credentials", () => {
    const external = {
      temporal: {
        mode: "external",
        address: "temporal.example.com:7233",
        namespace: "orders",
        network: { cidrs: ["192.0.2.0/24"] },
        tls: { serverName: "other.example.com" },
      },
      postgres: undefined,
      workers: [{ name: "orders", taskQueues: ["orders"], payloadEncryption: false }],
    };
    const settings = stackSettings("prod", external);
    const own = candidateOf(settings, IMAGE, "orders");
    const names = Object.keys(trialEnvironment(settings, own, "h"));
    assert.deepEqual(
      names.filter((name) => /^CODEC_|_TLS_|PROXY|API_KEY/.test(name)),
      [],
    );
  });

  it("tries an image that belongs to no group by the defaults, with two queues", () => {
    assert.deepEqual(nobody.group.taskQueues, ["conform-1", "conform-2"]);
    assert.deepEqual([nobody.group.ports.health, leftOut(nobody)], [8080, []]);
    assert.throws(() => candidateOf(settingsWith({}), IMAGE, "shipping"), /no worker group "shipping"/);
  });

  it("knows who polls by the answer of the server's HTTP API", () => {
    const text = (pollers: unknown) => ({ status: 200, text: JSON.stringify({ pollers }) });
    const poller = { identity: "1@w", workerVersionCapabilities: { buildId: "1.2.3" } };
    assert.deepEqual(pollersOf(text([poller, { identity: "2@w" }])), ["1.2.3", ""]);
    assert.deepEqual(pollersOf(text(undefined)), []);
    assert.deepEqual(pollersOf({ status: 404, text: "not found" }), []);
    assert.deepEqual(pollersOf(undefined), []);
  });

  describe("an image in a registry", () => {
    const documents: Record<string, unknown> = {
      "manifests/sha256:index": {
        manifests: [
          { digest: "sha256:amd", platform: { os: "linux", architecture: "amd64" } },
          { digest: "sha256:arm", platform: { os: "linux", architecture: "arm64" } },
          { digest: "sha256:sbom", platform: { os: "unknown", architecture: "unknown" } },
        ],
      },
      "manifests/sha256:arm": { config: { digest: "sha256:config" } },
      "blobs/sha256:config": {
        os: "linux",
        architecture: "arm64",
        config: { User: "1000", Entrypoint: ["/app"], Cmd: ["serve"], Labels: { a: "b" } },
      },
    };
    const server = createServer(({ url = "" }, response) => {
      const document = documents[url.replace("/v2/billing/", "")];
      response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}));
    });
    before(() => once(server.listen(0, "127.0.0.1"), "listening"));
    after(() => server.close());
    const read = (digest: string) => {
      const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      return readImageConfig({ ...placeOf(`${host}/billing`), digest }, "linux/arm64", undefined);
    };

    it("says what it is, of the platform that is asked for", async () => {
      const expected = {
        platforms: ["linux/amd64", "linux/arm64"],
        user: "1000",
        command: ["/app", "serve"],
        labels: { a: "b" },
      };
      assert.deepEqual(await read("sha256:index"), expected);
      assert.deepEqual(await read("sha256:arm"), { ...expected, platforms: ["linux/arm64"] });
    });

    it("is not there", () => assert.rejects(read("sha256:none"), /answers 404 for billing@sha256:none/));
  });
});
