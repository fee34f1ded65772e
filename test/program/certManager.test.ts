import assert from "node:assert/strict";
import { deployerClusterRules, deployerNamespaceRules } from "../../components/manifests/deployer";
import { deployerLimits } from "../../components/manifests/deployerAdmission";
import { parseSettings } from "../../settings/settings";
import type { Deployment } from "../harness";
import { connects, type PodParty } from "../support/networkPolicyRules";
import { chartsOf, checkChart } from "../../ci/chartArchive";
import { podsOf } from "./pods";
import { at, deployStack, engineConfig, objectsOf, stackConfig } from "./stack";

const changes = {
  "temporal-stack:certManager": { install: true },
  "temporal-stack:imagePull": { mirror: "registry.example.com/mirror" },
};
const settings = parseSettings({
  stack: "prod",
  stackFile: "Pulumi.prod.yaml",
  config: engineConfig({ ...stackConfig("prod"), ...changes }),
  secretKeys: [],
});

describe("cert-manager", () => {
  let deployment: Deployment;

  before(async () => {
    deployment = await deployStack("prod", { changes });
  });

  it("is left out unless it is asked for", async () => {
    const { registrations } = await deployStack("prod");
    assert.ok(!registrations.some(({ name }) => name.startsWith("cert-manager")));
  });

  it("is installed into a closed namespace of its own, with every image from the mirror", () => {
    const release = deployment.registrations.find(({ name }) => name === "cert-manager-release");
    assert.ok(release);
    assert.equal(at(release.inputs, "version"), "v1.21.2");
    assert.equal(at(release.inputs, "values", "crds", "keep"), true);
    assert.equal(at(release.inputs, "values", "global", "leaderElection", "namespace"), "cert-manager");
    const images = JSON.stringify(release.inputs).match(/[\w./-]+\/jetstack\/[\w-]+/g) ?? [];
    assert.equal(images.length, 5);
    for (const image of images) assert.match(image, /^registry\.example\.com\/mirror\/quay\.io\//);
    const component = deployment.registrations.find(({ name }) => name === "cert-manager");
    assert.match(component?.dependencies.join("\n") ?? "", /NetworkPolicy::/);
    const namespaces = objectsOf(deployment, "Namespace").map(({ inputs }) => at(inputs, "metadata", "name"));
    assert.ok(namespaces.includes("cert-manager"));
  });

  it("is reached by the API server at its webhook, and by nobody else", () => {
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const pods = podsOf(deployment).filter(({ namespace }) => namespace === "cert-manager");
    const stranger: PodParty = { name: "stranger", namespace: "default", labels: {} };
    const konnectivity: PodParty = {
      name: "konnectivity",
      namespace: "kube-system",
      labels: { "k8s-app": "konnectivity-agent" },
    };
    assert.equal(pods.length, 4);
    for (const pod of pods) {
      for (const port of pod.ports) {
        assert.ok(!connects(policies, stranger, pod, port, "TCP"), `${pod.name} ${port}`);
        const isWebhook = pod.name === "webhook" && port === 10250;
        assert.equal(connects(policies, konnectivity, pod, port, "TCP"), isWebhook, `${pod.name} ${port}`);
      }
    }
  });

  it("is within the deployer's permissions, and nothing beyond its own names", () => {
    const rules = deployerClusterRules(settings);
    const escalated = rules.filter(({ verbs }) => verbs.includes("escalate")).flatMap((r) => r.resourceNames);
    assert.ok(escalated.includes("cert-manager-controller-issuers"));
    for (const name of escalated) assert.match(name ?? "?", /^(cnpg-cloudnative-pg.*|cert-manager-.*|)$/);
    const inside = deployerNamespaceRules(settings, "cert-manager").flatMap(({ resources }) => resources);
    for (const resource of ["roles", "rolebindings", "leases", "certificaterequests"])
      assert.ok(inside.includes(resource), resource);
    const roles = deployerLimits(settings).find(({ name }) => name === "roles");
    assert.match(
      roles?.variables?.["permitted"] ?? "",
      /"cert-manager-controller-orders\/\/secrets":\["get","list","watch"\]/,
    );
    assert.match(roles?.variables?.["own"] ?? "", /"cert-manager-edit\/acme\.cert-manager\.io"/);
  });

  it("has a chart whose checksum nobody could verify, and says so", async () => {
    const used = chartsOf(settings).find(({ pin }) => pin.name === "cert-manager");
    assert.ok(used);
    assert.match((await checkChart(used)) ?? "", /no checksum of chart cert-manager/);
  });
});
