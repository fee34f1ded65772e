import assert from "node:assert/strict";
import { nodeFindings, type NodeRoom } from "../../../ops/doctor/checks/nodes";
import { cpuText, type PodDemand, podDemand, sizeText, volumeDemand } from "../../../ops/doctor/demand";
import { amountOf } from "../../../ops/doctor/quantity";
import { stackSettings } from "../../support/stackSettings";
import { textOf, verdicts } from "./cases";

const GIBIBYTE = 1024 ** 3;
const node = (name: string, changes: Partial<NodeRoom> = {}): NodeRoom => ({
  ...{ name, labels: { "kubernetes.io/arch": "amd64" }, taints: [] },
  ...{ millicores: 4000, bytes: 16 * GIBIBYTE, pods: 110 },
  others: { millicores: 0, bytes: 0, pods: 0 },
  ...changes,
});
const demand = (changes: Partial<PodDemand> = {}): PodDemand => ({
  ...{ setting: "workers[orders]", pods: 3, mostPods: 3, millicores: 1000, bytes: GIBIBYTE },
  ...{ apart: false, surges: true, nodeSelector: { "kubernetes.io/arch": "amd64" }, tolerations: [] },
  ...changes,
});
const TAINT = { key: "gpu", value: "yes", effect: "NoSchedule" };
const judge = (pods: readonly PodDemand[], nodes: readonly NodeRoom[], growing?: string) =>
  nodeFindings({ pods, volumes: [], nodes, growing });

const workersOf = (changes: object) =>
  podDemand(
    stackSettings("prod", { workers: [{ name: "orders", taskQueues: ["orders"], ...changes }] }),
  ).filter(({ setting }) => setting.startsWith("workers["));

describe("what the doctor says of nodes", () => {
  verdicts({
    "room for all": [() => judge([demand()], [node("a")]), "ok", /asks for 3 CPU and 3 GiB .* in 3 pods/],
    "no node": [() => judge([demand()], []), "failed", /there are none/],
    "no node for the stack": [
      () => judge([demand()], [node("a", { taints: [TAINT] })]),
      "failed",
      /a: taint gpu=yes:NoSchedule/,
    ],
    "a pod that no node fits": [
      () => judge([demand({ millicores: 5000 })], [node("a"), node("b")]),
      "failed",
      /a pod of workers\[orders\] asks for 5 CPU .*at most 4 CPU/,
    ],
    "memory that others have taken": [
      () =>
        judge(
          [demand({ bytes: 2 * GIBIBYTE })],
          [node("a", { others: { millicores: 0, bytes: 15 * GIBIBYTE, pods: 9 } })],
        ),
      "failed",
      /asks for 1 CPU and 2 GiB/,
    ],
    "no room for another pod, whatever its size": [
      () => judge([demand()], [node("a", { pods: 2 })]),
      "failed",
      /1 of workers\[orders\]/,
    ],
    "pods that fit one by one, not together": [
      () => judge([demand({ pods: 3, millicores: 2500 })], [node("a"), node("b")]),
      "failed",
      /1 of workers\[orders\]/,
    ],
    "instances that need a node each": [
      () => judge([demand({ setting: "postgres", apart: true })], [node("a"), node("b")]),
      "failed",
      /3 pods of postgres need a node each, and 2 fit\n.*postgres\.antiAffinity/,
    ],
    "instances that have one each": [
      () =>
        judge(
          [demand({ setting: "postgres", apart: true, surges: false })],
          [node("a"), node("b"), node("c")],
        ),
      "ok",
    ],
    "no room for a rolling update": [
      () => judge([demand({ pods: 4 })], [node("a")]),
      "warning",
      /rolling update of workers\[orders\]/,
    ],
    "pods that never surge": [() => judge([demand({ pods: 4, surges: false })], [node("a")]), "ok"],
    "a node whose taint the pods tolerate": [
      () =>
        judge([demand({ tolerations: [{ key: "gpu", value: "yes" }] })], [node("a", { taints: [TAINT] })]),
      "ok",
    ],
    "a taint that they tolerate by its key": [
      () =>
        judge(
          [demand({ tolerations: [{ key: "gpu", operator: "Exists" }] })],
          [node("a", { taints: [TAINT] })],
        ),
      "ok",
    ],
    "a taint of another effect": [
      () =>
        judge(
          [demand({ tolerations: [{ operator: "Exists", effect: "NoExecute" }] })],
          [node("a", { taints: [TAINT] })],
        ),
      "failed",
    ],
    "nodes of another architecture only": [
      () => judge([demand()], [node("a", { labels: { "kubernetes.io/arch": "arm64" } })]),
      "failed",
      /a: without the labels[^]*workerImage\.platform/,
    ],
    "no node of a group's architecture among others": [
      () =>
        judge(
          [demand(), demand({ setting: "postgres", nodeSelector: {} })],
          [node("a", { labels: { "kubernetes.io/arch": "arm64" } })],
        ),
      "failed",
      /no node takes pods of workers\[orders\]: none has kubernetes\.io\/arch=amd64/,
    ],
    "two architectures": [
      () => judge([demand()], [node("a"), node("b", { labels: { "kubernetes.io/arch": "arm64" } })]),
      "ok",
      /b: without the labels/,
    ],
    "nodes that come as they are needed": [
      () => judge([demand()], [], "Karpenter"),
      "warning",
      /Karpenter may make/,
    ],
    "pods of others that nobody may see": [
      () => judge([demand()], [node("a", { others: undefined })]),
      "warning",
      /other pods .* not counted/,
    ],
  });

  it("places each part where the settings do", () => {
    const toleration = { key: "db", operator: "Exists" };
    const scheduling = { default: { nodeSelector: { pool: "a" } }, postgres: { tolerations: [toleration] } };
    const placed = podDemand(stackSettings("prod", { scheduling }));
    const of = (setting: string) => placed.find((demand) => demand.setting === setting);
    assert.deepEqual(of("postgres")?.nodeSelector, { pool: "a" });
    assert.deepEqual(of("postgres")?.tolerations, [toleration]);
    assert.deepEqual(of("temporal.roles.history")?.tolerations, []);
    assert.deepEqual(of("workers[orders]")?.nodeSelector, { "kubernetes.io/arch": "amd64", pool: "a" });
  });

  it("counts what runs beside a worker", () => {
    const requests = { cpu: "100m", memory: "64Mi" };
    const sidecar = {
      name: "proxy",
      image: "example.com/proxy:1",
      resources: { requests, limits: { memory: "64Mi" } },
    };
    const [orders] = workersOf({ pod: { sidecars: [sidecar] } });
    assert.deepEqual([orders?.millicores, orders?.bytes], [350, (256 + 64) * 1024 ** 2]);
  });

  it("prod asks for what its stack file says", () => {
    const settings = stackSettings("prod");
    const text = textOf(
      nodeFindings({ pods: podDemand(settings), volumes: volumeDemand(settings), nodes: [] }),
    );
    assert.match(
      text,
      /7\.26 CPU and 18\.03 GiB of memory in 22 pods, and for 210 GiB of storage; with every/,
    );
  });
});

describe("quantities of nodes and pods", () => {
  const cases: Readonly<Record<string, number>> = {
    ...{ "2": 2, "1500m": 1.5, "100u": 1e-4, "16266528Ki": 16266528 * 1024, "1.5Gi": 1.5 * 1024 ** 3 },
    ...{ "129e6": 129e6, "1E3": 1000, "128974848": 128974848, "5k": 5000, "2M": 2e6, "1Ti": 1024 ** 4 },
  };
  for (const [text, amount] of Object.entries(cases)) it(text, () => assert.equal(amountOf(text), amount));
  it("refuses what is none", () => assert.throws(() => amountOf("much"), /much/));
  it("spells them for people", () => {
    assert.deepEqual(
      [cpuText(7250), cpuText(10), sizeText(512 * 1024 ** 2), sizeText(1.5 * 1024 ** 3)],
      ["7.25 CPU", "0.01 CPU", "512 MiB", "1.5 GiB"],
    );
  });
});
