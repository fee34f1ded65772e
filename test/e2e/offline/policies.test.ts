import assert from "node:assert/strict";
import { OfflineEngine } from "../../support/offlineEngine";

/*
 * The policy pack with the real engine and real providers: a backend of files, no cluster. The stack files are
 * the real ones; only the dates of their exceptions are moved, so that the tests hold on any day.
 */

const PACK = ["--policy-pack", "policy"];
const DAY = 24 * 60 * 60 * 1000;
const day = (fromToday: number) => new Date(Date.now() + fromToday * DAY).toISOString().slice(0, 10);
const until = (date: string) => (text: string) => text.replaceAll(/expires: .*/g, `expires: "${date}"`);
const current = until(day(30));

const exceptionFor = (policy: string, more: string) => (text: string) =>
  `${text}  temporal-stack:policyExceptions:
    - policy: ${policy}
      resource: temporal-namespaces-job
      reason: for this test
      expires: "${day(1)}"
${more}`;

describe("policy pack", () => {
  const engine = new OfflineEngine();
  const preview = (stack: string, change: (text: string) => string) =>
    engine.run(stack, change, ["preview", ...PACK]);

  before(() => engine.start("prod", "dev", "local"));
  after(() => {
    engine.stop();
  });

  for (const stack of ["prod", "dev", "local"]) {
    it(`lets stack ${stack} pass, without advice`, async () => {
      const { failed, output } = await preview(stack, current);
      assert.ok(!failed, output);
      assert.match(output, /✅ temporal-stack@v/);
      assert.doesNotMatch(output, /\[(mandatory|advisory)\]/);
    });
  }

  const broken = (text: string) =>
    current(text)
      .replace(/retentionDays: \d+/, "retentionDays: 1")
      .replace(/(ui:\n +replicas): 2/, "$1: 1");

  it("refuses production with every broken policy at once: id, resource and what to do", async () => {
    const { failed, output } = await preview("prod", broken);
    assert.ok(failed, output);
    assert.match(output, /\[mandatory\] +retention .*temporal-namespaces-job/);
    assert.match(output, /To do: set retentionDays of the namespace to 7 or more/);
    assert.match(output, /\[mandatory\] +redundancy .*temporal-release/);
    assert.match(output, /temporal-release\/web: web may have a single pod/);
    assert.match(output, /To do: raise replicas/);
  });

  it("only advises the same on stack dev", async () => {
    const { failed, output } = await preview("dev", broken);
    assert.ok(!failed, output);
    assert.match(output, /\[advisory\] +retention .*temporal-namespaces-job/);
    assert.doesNotMatch(output, /\[mandatory\]|redundancy/);
  });

  it("refuses an exception that has ended, and what it let pass", async () => {
    const { failed, output } = await preview("prod", until(day(-1)));
    assert.ok(failed, output);
    assert.match(output, /\[mandatory\] +policy-exceptions/);
    assert.match(output, /image-digest ended on \d{4}-\d\d-\d\d; ask platform/);
    assert.match(output, /\[mandatory\] +image-digest .*temporal-release/);
    assert.match(output, /\[mandatory\] +postgres-backup .*postgres-cluster/);
  });

  it("refuses an exception from a policy that there is not, on stack dev, too", async () => {
    const { failed, output } = await preview("dev", exceptionFor("retentoin", "      owner: platform\n"));
    assert.ok(failed, output);
    assert.match(output, /\[mandatory\] +policy-exceptions/);
    assert.match(output, /there is no policy "retentoin"/);
  });

  it("lets pass what somebody answers for, and refuses an exception without an owner", async () => {
    const owned = (text: string) => exceptionFor("retention", "      owner: platform\n")(broken(text));
    const passed = await preview("dev", owned);
    assert.ok(!passed.failed, passed.output);
    assert.doesNotMatch(passed.output, /\[advisory\] +retention .*temporal-namespaces-job\)/);
    const { failed, output } = await preview("dev", exceptionFor("retention", ""));
    assert.ok(failed, output);
    assert.match(output, /policyExceptions\[0\]\.owner .*who answers for the exception/);
  });

  it("names a secret in the stack file, and never shows it", async () => {
    const { failed, output } = await preview(
      "prod",
      (text) => `${current(text)}  shop:password: hunter2-hunter2\n`,
    );
    assert.ok(failed, output);
    assert.match(output, /\[mandatory\] +no-secret-in-settings/);
    assert.match(output, /configuration: has shop:password in plain text/);
    assert.doesNotMatch(output, /hunter2/);
  });

  it("refuses an update that nobody previewed before it makes anything", async () => {
    const { failed, output } = await engine.run("prod", until(day(-1)), [
      "up",
      "--yes",
      "--skip-preview",
      ...PACK,
    ]);
    assert.ok(failed, output);
    assert.match(output, /\[mandatory\] +policy-exceptions/);
    const { stdout } = await engine.pulumi(["stack", "export", "--stack", "prod"]);
    assert.doesNotMatch(stdout, /kubernetes:core/);
  });
});
