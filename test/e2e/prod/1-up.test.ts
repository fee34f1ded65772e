import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { footprintBefore } from "../machine";
import { checkout, kubectl, podsOf, pulumi, succeed } from "../support";
import { eventually } from "../../support/eventually";
import { NAMESPACES, up } from "./support";

describe("npm run up -- --stack prod", () => {
  before("another stack's cluster is gone", async () => {
    await succeed(["npm", "run", "down"]);
    footprintBefore.take();
  });

  it("ends with a finished workflow, deployed by somebody who is no administrator", async () => {
    const output = await up();
    assert.match(output, /The first workflow has finished/);
    assert.match(output, /stack prod on single-node Kubernetes/);
    const rights = ["auth", "can-i", "--as=temporal-stack-deployer"];
    for (const forbidden of [
      ["get", "secrets", "--namespace=kube-system"],
      ["create", "namespaces"],
      ["create", "pods/exec", "--namespace=temporal"],
    ]) {
      await assert.rejects(kubectl(...rights, ...forbidden), /no/, forbidden.join(" "));
    }
  });

  it("runs two pods of each role, three instances of Postgres and three workers", async () => {
    const ready = await kubectl(
      ...["get", "pods", "--all-namespaces", "--field-selector=status.phase=Running"],
      ...["--output", "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{'\\n'}{end}"],
    );
    const count = (pattern: RegExp): number => ready.split("\n").filter((name) => pattern.test(name)).length;
    for (const role of ["frontend", "history", "matching", "worker"]) {
      assert.equal(count(new RegExp(`^temporal/temporal-${role}-`)), 2, role);
    }
    assert.equal(count(/^temporal\/temporal-pg-\d+$/), 3);
    // One pod of a new Deployment is the autoscaler's to make three of.
    await eventually("three workers", async () => (await podsOf("temporal-workers")).length >= 3);
    assert.ok(NAMESPACES.every((namespace) => count(new RegExp(`^${namespace}/`)) > 0));
  });

  it("leaves the stack file as it was", async () => {
    const before = readFileSync(join(checkout, "Pulumi.prod.yaml"), "utf8");
    await up();
    assert.equal(readFileSync(join(checkout, "Pulumi.prod.yaml"), "utf8"), before);
  });

  it("changes nothing when it runs again", async () => {
    const { exitCode, output } = await pulumi("preview", "--expect-no-changes");
    assert.equal(exitCode, 0, output);
  });
});
