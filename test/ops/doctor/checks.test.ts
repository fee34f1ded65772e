import assert from "node:assert/strict";
import { metricsFindings } from "../../../ops/doctor/checks/metrics";
import { reachFindings, uidFindings } from "../../../ops/doctor/checks/cluster";
import { neededAccess, permissionFindings } from "../../../ops/doctor/checks/permissions";
import { settingsFindings } from "../../../ops/doctor/checks/settings";
import { type StorageClass, storageFindings } from "../../../ops/doctor/checks/storage";
import { kubernetesFindings, nodeFindings, pulumiFindings } from "../../../ops/doctor/checks/versions";
import type { VolumeDemand } from "../../../ops/doctor/demand";
import type { Verdict } from "../../../ops/doctor/finding";
import { tools } from "../../../settings/versions";
import { chartSettings } from "../../components/samples";
import { type Case, verdicts } from "./cases";

const REQUIRED = ">=3.248.0";
const volume: VolumeDemand = { setting: "postgres.storage", volumes: 3, bytes: 1024 ** 3 };
const good: StorageClass = {
  name: "fast",
  isDefault: true,
  provisioner: "example.com/disks",
  expands: true,
  reclaimPolicy: "Retain",
  bindingMode: "WaitForFirstConsumer",
};
const group = (min: number, max: number) => {
  const { settings } = chartSettings();
  return {
    workers: settings.workers.map((worker) => ({ ...worker, replicas: { ...worker.replicas, min, max } })),
  };
};

describe("what the doctor says of versions", () => {
  verdicts({
    "a Node.js in range": [() => nodeFindings("20.20.2", ">=20.19"), "ok"],
    "a Node.js that is too old": [() => nodeFindings("18.20.0", ">=20.19"), "failed", /18\.20\.0.*>=20\.19/],
    "the pinned Pulumi CLI": [() => pulumiFindings(`v${tools.pulumi}`, REQUIRED), "ok"],
    "a newer Pulumi CLI": [() => pulumiFindings("v3.999.0", REQUIRED), "ok", /newer than the tested/],
    "a Pulumi CLI between the least and the pinned": [() => pulumiFindings("v3.250.0", REQUIRED), "warning"],
    "a Pulumi CLI that Pulumi.yaml refuses": [
      () => pulumiFindings("v3.100.0", REQUIRED),
      "failed",
      /3\.100\.0 does not satisfy >=3\.248\.0/,
    ],
    "no Pulumi CLI": [() => pulumiFindings(undefined, REQUIRED), "failed", /not on PATH/],
    "the tested Kubernetes": [() => kubernetesFindings(`v${tools.kubernetes}`), "ok"],
    "a Kubernetes of a cloud": [() => kubernetesFindings("v1.35.2-gke.1001"), "ok", /1\.35\.2/],
    "a Kubernetes older than the tested one": [
      () => kubernetesFindings("v1.32.4-eks-abc"),
      "warning",
      /1\.32\.4/,
    ],
    "a Kubernetes without admission policies": [() => kubernetesFindings("v1.29.1"), "failed"],
    "a Kubernetes that nobody has tried": [() => kubernetesFindings("v1.40.0"), "warning"],
    "a version that is none": [() => kubernetesFindings("unknown"), "warning"],
  });
});

describe("what the doctor says of settings and the cluster", () => {
  verdicts({
    "valid settings": [() => settingsFindings({ file: "f", settings: chartSettings().settings }), "ok"],
    "two problems": [
      () => settingsFindings({ file: "Pulumi.x.yaml", problems: ["workers: must", "namespaces: must"] }),
      "failed",
      /workers: must\n.*Pulumi\.x\.yaml[^]*namespaces: must/,
    ],
    "a cluster that answers": [() => reachFindings({ server: "https://k" }), "ok"],
    "a cluster that does not": [
      () => reachFindings({ server: "https://k", problem: "no answer within 10 s" }),
      "failed",
      /https:\/\/k cannot be reached: no answer within 10 s/,
    ],
    "no cluster named": [() => uidFindings(undefined, "u"), "ok"],
    "the named cluster": [() => uidFindings("u", "u"), "ok"],
    "another cluster": [() => uidFindings("u", "v"), "failed", /is v, and .*clusterUid is u/],
  });
});

describe("what the doctor says of permissions", () => {
  const { settings } = chartSettings();
  const wanted = neededAccess(settings);

  it("asks for each permission of the deployer's roles", () => {
    const has = (expected: object) =>
      wanted.some((access) => JSON.stringify(access) === JSON.stringify(expected));
    assert.ok(has({ verb: "create", group: "", resource: "secrets", namespace: "temporal" }));
    assert.ok(
      has({ verb: "get", group: "", resource: "pods", subresource: "log", namespace: "temporal-workers" }),
    );
    assert.ok(has({ verb: "list", group: "storage.k8s.io", resource: "storageclasses" }));
    assert.ok(has({ verb: "patch", group: "", resource: "namespaces", name: "temporal" }));
    assert.ok(!wanted.some(({ verb }) => verb === "*"));
  });

  const denied = wanted.filter(
    ({ resource, namespace, verb }) =>
      (namespace === "temporal" && resource === "secrets" && /create|patch/.test(verb)) ||
      resource === "storageclasses",
  );
  verdicts({
    "all of them": [() => permissionFindings("dev", { asked: 9, denied: [] }), "ok", /all 9/],
    "some missing": [
      () => permissionFindings("dev", { asked: 9, denied }),
      "failed",
      /in the cluster: list storageclasses\.storage\.k8s\.io\n.*deployer -- -s dev[^]*in namespace temporal: create, patch secrets/,
    ],
  });
});

describe("what the doctor says of storage classes", () => {
  const of = (changes: Partial<StorageClass>, keeps = true) =>
    storageFindings([volume], [{ ...good, ...changes }], keeps);
  const cases: Record<string, Case> = {
    "a class that holds": [() => of({}), "ok", /fast/],
    "no default class": [
      () => of({ isDefault: false }),
      "failed",
      /postgres\.storage\.storageClass: .*no default/,
    ],
    "no class at all": [() => storageFindings([volume], [], true), "failed", /it has none/],
    "a name that the cluster does not have": [
      () => storageFindings([{ ...volume, storageClass: "slow" }], [good], true),
      "failed",
      /no class "slow": it has fast/,
    ],
    "a named class": [
      () => storageFindings([{ ...volume, storageClass: "fast" }], [{ ...good, isDefault: false }], true),
      "ok",
    ],
    "two default classes": [
      () => storageFindings([volume], [good, { ...good, name: "b" }], true),
      "warning",
      /several/,
    ],
    "a class that does not grow": [() => of({ expands: false }), "warning", /never grow/],
    "a class that deletes": [() => of({ reclaimPolicy: "Delete" }), "warning", /deletes the data/],
    "a class that deletes what may be thrown away": [() => of({ reclaimPolicy: "Delete" }, false), "ok"],
    "a class that binds at once": [() => of({ bindingMode: "Immediate" }), "warning", /zone/],
    "a class without a provisioner": [
      () => of({ provisioner: "kubernetes.io/no-provisioner" }),
      "warning",
      /makes no volumes/,
    ],
  };
  verdicts(cases);
});

describe("what the doctor says of the metrics API", () => {
  verdicts({
    "it is served": [() => metricsFindings(group(1, 3), ["nodes", "pods"]), "ok"],
    "it is not": [() => metricsFindings(group(1, 3), undefined), "warning", /orders stays at 1 of at most 3/],
    "its server does not answer": [
      () => metricsFindings(group(1, 3), "unavailable"),
      "warning",
      /registered, but its server does not answer: worker group orders stays at 1 of at most 3/,
    ],
    "nobody needs it": [() => metricsFindings(group(3, 3), undefined), "ok"],
    "nobody needs it, and its server does not answer": [
      () => metricsFindings(group(3, 3), "unavailable"),
      "ok",
    ],
  } satisfies Record<string, readonly [unknown, Verdict, RegExp?]>);
});
