import assert from "node:assert/strict";
import { podDemand, volumeDemand } from "../../ops/doctor/demand";
import { amountOf } from "../../ops/doctor/quantity";
import { SERVER_ROLES } from "../../settings/temporal";
import type { Deployment } from "../harness";
import { stackSettings } from "../support/stackSettings";
import { at, deployStack, listAt, mappingAt, objectsOf, STACKS } from "./stack";

interface Amount {
  pods: number;
  millicores: number;
  bytes: number;
}

/** What one part of a deployment asks for. */
const asked = (count: unknown, requests: unknown): Amount => ({
  pods: Number(count),
  millicores: Number(count) * Math.round(amountOf(String(at(requests, "cpu"))) * 1000),
  bytes: Number(count) * amountOf(String(at(requests, "memory"))),
});

/** What pods that run for good ask for, as it is registered with the engine. */
function registered(deployment: Deployment): Amount[] {
  const autoscalers = objectsOf(deployment, "HorizontalPodAutoscaler");
  const own = objectsOf(deployment, "Deployment").map(({ registration, inputs }) => {
    const scaled = autoscalers.find(
      ({ registration: { name } }) => name === registration.name.replace(/-deployment$/, "-autoscaler"),
    );
    const count = at(inputs, "spec", "replicas") ?? at(scaled?.inputs, "spec", "minReplicas");
    const [container] = listAt(inputs, "spec", "template", "spec", "containers");
    return asked(count, at(container, "resources", "requests"));
  });
  const releases = deployment.registrations
    .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
    .flatMap(({ inputs }) => {
      const values = mappingAt(inputs, "values");
      if (inputs["chart"] === "cloudnative-pg") {
        return [asked(values["replicaCount"], at(values, "resources", "requests"))];
      }
      const web = at(values, "web", "enabled") === true ? [mappingAt(values, "web")] : [];
      return [
        ...[...SERVER_ROLES.map((role) => mappingAt(values, "server", role)), ...web].map((part) =>
          asked(part["replicaCount"], at(part, "resources", "requests")),
        ),
        asked(1, at(values, "admintools", "resources", "requests")),
      ];
    });
  const instances = objectsOf(deployment, "Cluster").map(({ inputs }) =>
    asked(at(inputs, "spec", "instances"), at(inputs, "spec", "resources", "requests")),
  );
  return [...own, ...releases, ...instances];
}

/** Bytes of all volumes, as they are registered with the engine. */
function registeredVolumes(deployment: Deployment): number {
  const claims = objectsOf(deployment, "PersistentVolumeClaim").map(({ inputs }) =>
    amountOf(String(at(inputs, "spec", "resources", "requests", "storage"))),
  );
  const instances = objectsOf(deployment, "Cluster").flatMap(({ inputs }) =>
    ["storage", "walStorage"].flatMap((volume) => {
      const size = at(inputs, "spec", volume, "size");
      return typeof size === "string" ? Number(at(inputs, "spec", "instances")) * amountOf(size) : [];
    }),
  );
  return [...claims, ...instances].reduce((sum, bytes) => sum + bytes, 0);
}

const sum = (amounts: readonly Amount[]): Amount =>
  amounts.reduce((total, { pods, millicores, bytes }) => ({
    pods: total.pods + pods,
    millicores: total.millicores + millicores,
    bytes: total.bytes + bytes,
  }));

describe("what the doctor takes a stack to ask for", () => {
  for (const stack of STACKS) {
    it(`is what stack ${stack} registers`, async () => {
      const deployment = await deployStack(stack);
      const settings = stackSettings(stack);
      const demand = podDemand(settings).map(({ pods, millicores, bytes }) => ({
        pods,
        millicores: pods * millicores,
        bytes: pods * bytes,
      }));
      assert.deepEqual(sum(demand), sum(registered(deployment)));
      assert.equal(
        volumeDemand(settings).reduce((total, { volumes, bytes }) => total + volumes * bytes, 0),
        registeredVolumes(deployment),
      );
    });
  }
});
