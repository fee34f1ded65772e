import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { selectorLabels } from "../../components/manifests/labels";
import { workerIdentity } from "../../components/manifests/workerManifests";
import { Failure } from "../../common/failure";
import { outputsSchema } from "../../common/stackOutputs";
import { UsageFailure } from "../../common/usageFailure";
import { replayInCluster } from "../../ops/replay/clusterReplay";
import { replayJob } from "../../ops/replay/replayJob";
import { isMapping, type Mapping } from "../../settings/mapping";
import { openApiProblems } from "../../settings/openapi/validate";
import { FAKE_DIGEST } from "../emulation";
import type { Deployment } from "../harness";
import { at, deployStack, listAt, mappingAt, objectsOf } from "../program/stack";

const IMAGE = `registry.example/worker@${FAKE_DIGEST}`;
const COMMAND = ["/nodejs/bin/node", "lib/cli/replay.js", "--sample", "5"];
const REPORT = {
  ...{ sdkVersion: "1.24.0", namespace: "prod", taskQueues: ["orders"] },
  ...{ open: 5, notSampled: 0, gone: 0, compatible: 5, incompatible: [], unchecked: [] },
};
/** What a client finds out about the API before it reads or creates. */
const RESOURCES = new Map([
  ["/apis/apps/v1", { name: "deployments", kind: "Deployment", namespaced: true }],
  ["/apis/batch/v1", { name: "jobs", kind: "Job", namespaced: true }],
]);
const jobSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

describe("replay in the cluster", () => {
  let deployment: Deployment;
  let group: z.output<typeof outputsSchema>["workers"][number];
  let deployed: Mapping;

  before(async () => {
    deployment = await deployStack("prod");
    [group] = outputsSchema.parse(deployment.outputs).workers;
    const worker = objectsOf(deployment, "Deployment").find(({ registration }) =>
      registration.name.startsWith("worker-orders"),
    );
    assert.ok(worker);
    deployed = worker.inputs;
  });

  const jobOf = (object: Mapping) =>
    replayJob(object, { name: "replay", namespace: group.namespace, image: IMAGE, command: COMMAND });
  const podOf = (object: Mapping): Mapping => mappingAt(object, "spec", "template", "spec");
  const onlyContainer = (object: Mapping): Mapping => {
    const [container, ...others] = listAt(podOf(object), "containers");
    assert.deepEqual(others, []);
    assert.ok(isMapping(container));
    return container;
  };

  it("runs the candidate's command with everything that the group's pods are given", () => {
    const job = jobOf(deployed);
    const [container, worker] = [onlyContainer(job), onlyContainer(deployed)];
    assert.equal(container["image"], IMAGE);
    assert.deepEqual(container["command"], COMMAND);
    assert.ok(!("args" in container));
    for (const part of ["env", "envFrom", "volumeMounts", "resources", "securityContext"]) {
      assert.ok(part in worker, part);
      assert.deepEqual(container[part], worker[part], part);
    }
    const [pod, own] = [podOf(job), podOf(deployed)];
    for (const part of ["volumes", "serviceAccountName", "securityContext", "nodeSelector"]) {
      assert.deepEqual(pod[part], own[part], part);
    }
    assert.deepEqual(openApiProblems(job), []);
  });

  it("keeps sidecars that end with it, and no probe that would end it", () => {
    const sidecar = { name: "proxy", image: "proxy:1", restartPolicy: "Always" };
    const template = { ...mappingAt(deployed, "spec", "template") };
    const spec = { ...podOf(deployed), initContainers: [sidecar] };
    const job = jobOf({ ...deployed, spec: { template: { ...template, spec } } });
    assert.deepEqual(podOf(job)["initContainers"], [sidecar]);
    assert.equal(podOf(job)["restartPolicy"], "Never");
    assert.ok("topologySpreadConstraints" in podOf(deployed));
    assert.ok(!("topologySpreadConstraints" in podOf(job)));
    for (const part of ["livenessProbe", "readinessProbe", "startupProbe", "ports"]) {
      assert.ok(part in onlyContainer(deployed) && !(part in onlyContainer(job)), part);
    }
  });

  it("is the group to NetworkPolicies, and not to its Deployment, budget and autoscaler", () => {
    const { labels } = jobOf(deployed).spec.template.metadata;
    const own = selectorLabels(workerIdentity("orders"));
    const differing = Object.keys(own).filter((name) => labels[name] !== own[name]);
    assert.deepEqual(differing, ["app.kubernetes.io/component"]);
    const policies = objectsOf(deployment, "NetworkPolicy").filter(
      ({ inputs }) => mappingAt(inputs, "metadata")["namespace"] === group.namespace,
    );
    const selectors = policies.map(({ inputs }) => at(inputs, "spec", "podSelector", "matchLabels"));
    const ofWorkers = selectors.flatMap((selector) =>
      isMapping(selector) && selector["app.kubernetes.io/name"] === "temporal-worker" ? [selector] : [],
    );
    assert.ok(ofWorkers.length > 0);
    for (const selector of ofWorkers) {
      assert.ok(Object.entries(selector).every(([name, value]) => labels[name] === value));
    }
  });

  it("is none of a group that is not deployed", () => {
    assert.throws(
      () => replayJob(undefined, { name: "r", namespace: "n", image: IMAGE, command: [] }),
      Failure,
    );
  });

  describe("against an API server", () => {
    let server: Server;
    let config: KubeConfig;
    let requests: string[];
    let created: unknown;
    /** What the pods look like, one look after the other; the last one stays. */
    let pods: object[][];
    let log: string;

    beforeEach(async () => {
      requests = [];
      log = "";
      server = createServer((request, response) => {
        const url = new URL(request.url ?? "", "http://test");
        requests.push(`${request.method ?? ""} ${url.pathname}`);
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          if (request.method === "POST") created = JSON.parse(Buffer.concat(chunks).toString());
          const answer = RESOURCES.has(url.pathname)
            ? { resources: [RESOURCES.get(url.pathname)] }
            : url.pathname.includes("/deployments/")
              ? deployed
              : url.pathname.endsWith("/pods")
                ? { items: pods.length > 1 ? pods.shift() : pods[0] }
                : url.pathname.endsWith("/log")
                  ? log
                  : (created ?? {});
          const isText = typeof answer === "string";
          response.writeHead(200, { "content-type": isText ? "text/plain" : "application/json" });
          response.end(isText ? answer : JSON.stringify(answer));
        });
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      config = new KubeConfig();
      const { port } = server.address() as AddressInfo;
      config.loadFromClusterAndUser(
        { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
        { name: "test" },
      );
    });

    afterEach(() => {
      server.close();
      server.closeAllConnections();
    });

    const pod = (state: object, more: object = {}) => ({
      metadata: { name: "replay-1" },
      spec: { containers: [{ name: "worker" }] },
      status: { phase: "Pending", containerStatuses: [{ name: "worker", state }], ...more },
    });
    const replay = (
      signal = new AbortController().signal,
      onLine: (line: string) => void = () => undefined,
    ) => replayInCluster(config, group, { image: IMAGE, command: COMMAND, onLine, signal });
    const deletesItsJob = () => {
      const { metadata } = jobSchema.parse(created);
      const jobs = `/apis/batch/v1/namespaces/${group.namespace}/jobs`;
      assert.match(metadata.name, /^replay-orders-[0-9a-f]{8}$/);
      assert.equal(requests.at(-1), `DELETE ${jobs}/${metadata.name}`);
    };

    it("gives the report and deletes its job", async () => {
      pods = [[], [pod({ running: {} })], [pod({ terminated: { exitCode: 0 } })]];
      log = `3 of about 5 histories replayed\n${JSON.stringify(REPORT)}\n`;
      assert.deepEqual(await replay(), REPORT);
      const { spec } = jobOf(deployed);
      assert.deepEqual(jobSchema.parse(created)["spec"], JSON.parse(JSON.stringify(spec)));
      deletesItsJob();
    });

    it("takes what breaks for a finding, not for a failure", async () => {
      pods = [[pod({ terminated: { exitCode: 3 } })]];
      const unchecked = [{ workflowId: "w", runId: "r", type: "order", reason: "no key" }];
      log = `noise {\n${JSON.stringify({ ...REPORT, unchecked })}\na line behind it`;
      assert.deepEqual((await replay()).unchecked, unchecked);
    });

    for (const [exitCode, kind] of [
      [1, Failure],
      [78, UsageFailure],
    ] as const) {
      it(`never takes exit code ${exitCode} without a report for a replay`, async () => {
        pods = [[pod({ terminated: { exitCode } })]];
        log = "Error: Cannot find module '/app/lib/cli/replay.js'";
        await assert.rejects(replay(), (error) => {
          assert.ok(error instanceof kind && (exitCode === 78 || !(error instanceof UsageFailure)));
          assert.match(error.message, /orders could not be replayed: .*replay\.js.* ended with/);
          assert.match(error.details.join("\n"), /Cannot find module/);
          return true;
        });
        deletesItsJob();
      });
    }

    it("does not take success without a report for one either", async () => {
      pods = [[pod({ terminated: { exitCode: 0 } })]];
      log = "done";
      await assert.rejects(replay(), /without a report/);
    });

    it("says that the image cannot be pulled", async () => {
      pods = [[pod({ waiting: { reason: "ImagePullBackOff", message: `Back-off pulling ${IMAGE}` } })]];
      await assert.rejects(replay(), /does not start: ImagePullBackOff Back-off pulling/);
      deletesItsJob();
    });

    it("deletes its job when it is interrupted", async () => {
      pods = [[pod({ running: {} })]];
      log = "1 of about 5 histories replayed";
      const stop = new AbortController();
      await assert.rejects(
        replay(stop.signal, () => {
          stop.abort();
        }),
        { name: "AbortError" },
      );
      deletesItsJob();
    });
  });
});
