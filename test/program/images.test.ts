import assert from "node:assert/strict";
import { releasesOutput } from "../../components/guards/releases";
import { FAKE_DIGEST } from "../emulation";
import type { Deployment, Values } from "../harness";
import { openApiProblems } from "../../settings/openapi/validate";
import { at, deployStack, listAt, mappingAt, objectsOf } from "./stack";

const DIGEST = `sha256:${"1".repeat(64)}`;
const BILLING = {
  repository: "registry.example.com/billing",
  digest: DIGEST,
  platform: "linux/arm64",
};
const GROUP = {
  name: "billing",
  taskQueues: ["billing"],
  image: "billing",
  namespace: "billing",
  command: ["python"],
  args: ["-m", "billing"],
  probes: {
    mode: "exec",
    startup: ["check", "up"],
    liveness: ["check", "live"],
    readiness: ["check", "ready"],
  },
  payloadEncryption: false,
  env: { PYTHONUNBUFFERED: "1" },
};

/** Prod with a second group that runs an image of its own. */
const changes = (image: Values = BILLING, group: Values = {}): Values => ({
  "temporal-stack:images": { billing: image },
  "temporal-stack:temporal": {
    mode: "chart",
    namespace: "prod",
    namespaces: [{ name: "prod" }, { name: "billing" }],
  },
  "temporal-stack:workers": [
    { name: "orders", taskQueues: ["orders"] },
    { ...GROUP, ...group },
  ],
});

const named = ({ registrations }: Deployment, name: string) => {
  const found = registrations.find((registration) => registration.name === name);
  assert.ok(found, name);
  return found;
};
const podOf = (deployment: Deployment, group: string) =>
  at(named(deployment, `worker-${group}-deployment`).inputs, "spec", "template", "spec");
const volumesOf = (deployment: Deployment, group: string) =>
  listAt(podOf(deployment, group), "volumes").map((volume) => at(volume, "name"));
const environmentOf = (deployment: Deployment, group: string) =>
  mappingAt(named(deployment, `worker-${group}-config`).inputs, "data");

describe("a worker group with an image of its own", () => {
  let deployment: Deployment;

  before(async () => {
    deployment = await deployStack("prod", { changes: changes() });
  });

  it("runs it by digest, and nothing is built for it", () => {
    const images = deployment.registrations.filter(({ type }) => type.startsWith("docker:"));
    assert.deepEqual(
      images.map(({ name }) => name),
      ["worker-image-build"],
    );
    const container = at(podOf(deployment, "billing"), "containers", 0);
    assert.equal(at(container, "image"), `${BILLING.repository}@${DIGEST}`);
    assert.deepEqual(listAt(container, "command"), ["python"]);
    assert.deepEqual(listAt(container, "args"), ["-m", "billing"]);
    assert.deepEqual(listAt(container, "livenessProbe", "exec", "command"), ["check", "live"]);
    assert.equal(at(container, "livenessProbe", "httpGet"), undefined);
    const architecture = (group: string) =>
      at(podOf(deployment, group), "nodeSelector", "kubernetes.io/arch");
    assert.deepEqual([architecture("billing"), architecture("orders")], ["arm64", "amd64"]);
    const sample = at(podOf(deployment, "orders"), "containers", 0);
    assert.match(String(at(sample, "image")), new RegExp(`@${FAKE_DIGEST}$`));
    assert.deepEqual([at(sample, "command"), at(sample, "args")], [undefined, undefined]);
    assert.equal(at(sample, "livenessProbe", "httpGet", "path"), "/livez");
  });

  it("works in its own Temporal namespace", () => {
    assert.equal(environmentOf(deployment, "billing")["TEMPORAL_NAMESPACE"], "billing");
    assert.equal(environmentOf(deployment, "orders")["TEMPORAL_NAMESPACE"], "prod");
    assert.equal(deployment.outputs["temporalNamespace"], "prod");
  });

  it("gets no keys that it does not use, and no options of Node.js", () => {
    const own = Object.keys(environmentOf(deployment, "billing"));
    assert.deepEqual(
      own.filter((name) => name.startsWith("CODEC_") || name === "NODE_OPTIONS"),
      [],
    );
    assert.ok(!volumesOf(deployment, "billing").includes("codec-keys"));
    const template = at(named(deployment, "worker-billing-deployment").inputs, "spec", "template");
    assert.deepEqual(Object.keys(mappingAt(template, "metadata", "annotations")), []);
    assert.ok("CODEC_KEYS_DIR" in environmentOf(deployment, "orders"));
  });

  it("gets the keys by default, as payloads are encrypted by default", async () => {
    const encrypted = await deployStack("prod", { changes: changes(BILLING, { payloadEncryption: true }) });
    assert.ok("CODEC_KEYS_DIR" in environmentOf(encrypted, "billing"));
    assert.ok(volumesOf(encrypted, "billing").includes("codec-keys"));
  });

  it("listens where it says, and lets in there who may read metrics", async () => {
    const ports = { health: 8081, metrics: 9090 };
    const metricsFrom = [{ namespace: "monitoring" }];
    const own = await deployStack("prod", {
      changes: { ...changes(BILLING, { ports }), "temporal-stack:networkAccess": { metricsFrom } },
    });
    const { HEALTH_PORT, METRICS_BIND_ADDRESS } = environmentOf(own, "billing");
    assert.deepEqual([HEALTH_PORT, METRICS_BIND_ADDRESS], ["8081", "0.0.0.0:9090"]);
    const declared = listAt(podOf(own, "billing"), "containers", 0, "ports");
    assert.deepEqual(
      declared.map((port) => at(port, "containerPort")),
      [8081, 9090],
    );
    const open = objectsOf(own, "NetworkPolicy").filter(
      ({ inputs }) =>
        at(inputs, "spec", "podSelector", "matchLabels", "app.kubernetes.io/instance") === "billing" &&
        listAt(inputs, "spec", "ingress").some((rule) => at(rule, "ports", 0, "port") === 9090),
    );
    assert.equal(open.length, 1);
  });

  it("is asked nothing where it has nobody to answer", async () => {
    const silent = await deployStack("prod", { changes: changes(BILLING, { probes: { mode: "none" } }) });
    const container = mappingAt(podOf(silent, "billing"), "containers", 0);
    assert.deepEqual(
      Object.keys(container).filter((name) => name.endsWith("Probe")),
      [],
    );
  });

  it("is an object that the API server takes", () => {
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
  });

  it("is in the outputs, and in the record of releases, by name", () => {
    const sample = deployment.outputs["workerImage"];
    const workers = deployment.outputs["workers"];
    assert.deepEqual(
      [at(workers, 0, "image"), at(workers, 1, "image"), at(workers, 1, "temporalNamespace")],
      [
        { name: "worker", reference: sample },
        { name: "billing", reference: `${BILLING.repository}@${DIGEST}` },
        "billing",
      ],
    );
    const [release] = releasesOutput.parse(deployment.outputs["releases"]);
    assert.equal(release?.image, sample);
    assert.deepEqual(release?.images, {
      billing: { image: `${BILLING.repository}@${DIGEST}`, sources: null },
    });
  });

  it("adds nothing to the record of releases when nothing changes, nor to one of an older program", async () => {
    const again = await deployStack("prod", { changes: changes(), stackOutputs: deployment.outputs });
    assert.deepEqual(again.outputs["releases"], deployment.outputs["releases"]);
    const { outputs } = await deployStack("prod");
    const [{ images, ...older } = { images: {} }] = releasesOutput.parse(outputs["releases"]);
    assert.deepEqual(images, {});
    const next = await deployStack("prod", { stackOutputs: { ...outputs, releases: [older] } });
    assert.equal(releasesOutput.parse(next.outputs["releases"]).length, 1);
  });

  it("is refused with an image in quarantine, before any resource", async () => {
    const held = [{ digest: DIGEST, sources: null, since: "2026-01-31T12:00:00.000Z", reason: "crashed" }];
    await assert.rejects(
      deployStack("prod", { changes: changes(), stackOutputs: { quarantine: held }, preview: true }),
      /the worker image sha256:1{64} is in quarantine .*: crashed\..*\nNothing was changed\./,
    );
  });
});

describe("an image that is built from a folder", () => {
  it("is pushed to a repository of its own, and refused by its sources", async () => {
    const build = changes({ build: "worker" });
    const deployment = await deployStack("prod", { changes: build });
    const { inputs } = named(deployment, "worker-image-billing-build");
    assert.match(
      String(inputs["imageName"]),
      /^ghcr\.io\/example\/temporal-stack-worker-billing:[0-9a-f]{16}$/,
    );
    assert.equal(at(inputs, "build", "dockerfile"), "worker/Dockerfile");
    const [release] = releasesOutput.parse(deployment.outputs["releases"]);
    const sources = release?.images["billing"]?.sources;
    assert.match(sources ?? "", /^[0-9a-f]{16}$/);
    const since = "2026-01-31T12:00:00.000Z";
    const held = [{ digest: `sha256:${"f".repeat(64)}`, sources, since, reason: "crashed" }];
    await assert.rejects(
      deployStack("prod", { changes: build, stackOutputs: { quarantine: held } }),
      /what worker\/ is built into is in quarantine/,
    );
  });

  it("needs a folder with a Dockerfile", async () => {
    await assert.rejects(
      deployStack("prod", { changes: changes({ build: "workers/nowhere" }), preview: true }),
      /temporal-stack:images\.billing\.build: there is no workers\/nowhere\/Dockerfile in this checkout; .*\nNothing was changed/,
    );
  });
});
