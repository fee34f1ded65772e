import assert from "node:assert/strict";
import { stopOrphanedPlugins } from "../../../common/orphanedPlugins";
import { pulumiHome } from "../../../common/localStack";
import { locks } from "../../../local/recovery";
import { kubectl, pulumi, run } from "../support";
import { eventually } from "../../support/eventually";
import { rolledOut } from "../../support/faults";
import { prod, up, upCommand } from "./support";

describe("stack prod without the cluster's DNS", () => {
  const dns = (replicas: number): Promise<string> =>
    kubectl("scale", "deployment/coredns", "--namespace=kube-system", `--replicas=${replicas}`);

  before(() => dns(0));

  // The next update is the one below: it works, but is killed.
  after(async () => {
    await dns(1);
    await rolledOut("kube-system", "coredns");
  });

  it("shows the last lines of the schema job when that cannot find Postgres", async () => {
    prod.layOver({
      temporal: { schemaTimeoutSeconds: 60, dynamicConfig: { "frontend.namespaceRPS": 4001 } },
    });
    const { exitCode, output } = await run(upCommand);
    assert.equal(exitCode, 1, output);
    assert.match(output, /pod temporal\/temporal-schema-/);
    assert.match(output, /temporal-pg-rw\.temporal\.svc.*(no such host|server misbehaving|i\/o timeout)/);
  });
});

describe("an update that was killed while Helm worked on the Temporal release", () => {
  const releases = (): Promise<string> =>
    kubectl(
      ...["get", "secrets", "--namespace=temporal", "--selector=owner=helm,name=temporal"],
      "--output=jsonpath={range .items[*]}{.metadata.labels.status} {end}",
    );

  before(async () => {
    prod.layOver({ temporal: { dynamicConfig: { "frontend.namespaceRPS": 4300 } } });
    const update = pulumi("up", "--yes", "--skip-preview");
    await eventually("Helm works on the release", async () => (await releases()).includes("pending-upgrade"));
    for (const { pid } of await locks("prod")) process.kill(pid, "SIGKILL");
    await update;
    stopOrphanedPlugins(pulumiHome);
  });

  it("leaves a release that Helm takes for one that is being changed", async () => {
    assert.match(await releases(), /pending-upgrade/);
  });

  it("lets no guard be slipped past", async () => {
    prod.layOver({ temporal: { historyShards: 1024 } });
    const { exitCode, output } = await pulumi("preview");
    prod.layOver({ temporal: { historyShards: 512 } });
    assert.notEqual(exitCode, 0);
    assert.match(output, /temporal\.historyShards: deployed is 512, found 1024/);
  });

  it("is ended by the next npm run up", async () => {
    const output = await up();
    assert.match(output, /the lock of process \d+, which is gone, was removed/);
    assert.match(output, /Helm release temporal\/temporal was pending-upgrade: revision \d+ was forgotten/);
    assert.match(output, /The first workflow has finished/);
    const dynamicConfig = await kubectl(
      ...["get", "configmap", "temporal-dynamic-config", "--namespace=temporal", "--output=yaml"],
    );
    assert.match(dynamicConfig, /4300/);
    assert.doesNotMatch(await releases(), /pending/);
    const { exitCode } = await pulumi("preview", "--expect-no-changes");
    assert.equal(exitCode, 0);
  });
});
