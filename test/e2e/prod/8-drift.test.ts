import assert from "node:assert/strict";
import { type Finished, kubectl, run, sourcedEnvironment } from "../support";

const drift = (): Promise<Finished> =>
  run(["npm", "run", "--silent", "drift", "--", "--stack", "prod"], { env: sourcedEnvironment() });

const FRONTEND = ["deployment/temporal-frontend", "--namespace", "temporal"];
const WORKERS = "temporal-workers";

describe("npm run drift -- -s prod", () => {
  /** Name of a ConfigMap of the stack itself, not of a chart: that of the workers. */
  let configMap: string;
  let level: string;

  before(async () => {
    const deployment = ["deployment", "--namespace", WORKERS, "--selector=app.kubernetes.io/instance=orders"];
    const reference = "jsonpath={.items[0].spec.template.spec.containers[0].envFrom[0].configMapRef.name}";
    configMap = (await kubectl("get", ...deployment, `--output=${reference}`)).trim();
    assert.match(configMap, /^worker-orders-config-/);
    level = await configuredLevel();
  });

  after("as it was deployed, also after a failure", async () => {
    await kubectl("scale", ...FRONTEND, "--replicas=2");
    await setLevel(level);
  });

  const configuredLevel = (): Promise<string> =>
    kubectl("get", "configmap", configMap, "--namespace", WORKERS, "--output=jsonpath={.data.LOG_LEVEL}");
  const setLevel = (value: string): Promise<string> =>
    kubectl(
      ...["patch", "configmap", configMap, "--namespace", WORKERS, "--type=merge"],
      ...["--patch", JSON.stringify({ data: { LOG_LEVEL: value } })],
    );

  it("finds none after a deployment, and compares the objects of both releases", async () => {
    const { exitCode, output } = await drift();
    assert.equal(exitCode, 0, output);
    assert.match(output, /no drift found; compared \d+ resources and \d\d+ objects of Helm releases/);
  });

  it("finds an object of a release that was scaled, which Pulumi does not see", async () => {
    await kubectl("scale", ...FRONTEND, "--replicas=1");
    const { exitCode, output } = await drift();
    assert.equal(exitCode, 2, output);
    assert.match(output, /Deployment temporal\/temporal-frontend of release temporal\/temporal/);
    assert.match(output, /- {3}spec\.replicas: 2\n.*\+ {3}spec\.replicas: 1/);
  });

  it("finds a ConfigMap of the stack that was changed, beside it", async () => {
    await setLevel("drifted");
    const { exitCode, output } = await drift();
    assert.equal(exitCode, 2, output);
    assert.match(output, /ConfigMap worker-orders-config \(temporal-workers\/worker-orders-config-/);
    assert.match(output, /\+ {3}data\.LOG_LEVEL: drifted/);
    assert.match(output, /2 drifted/);
  });

  it("finds nothing any more once it is put back", async () => {
    await kubectl("scale", ...FRONTEND, "--replicas=2");
    await setLevel(level);
    const { exitCode, output } = await drift();
    assert.equal(exitCode, 0, output);
  });
});
