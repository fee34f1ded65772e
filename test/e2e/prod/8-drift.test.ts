import assert from "node:assert/strict";
import { execa } from "execa";
import { z } from "zod";
import { localImages, provideImage } from "../../../local/cluster/native/images";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { type Finished, kubectl, run, sourcedEnvironment } from "../support";

const drift = (): Promise<Finished> =>
  run(["npm", "run", "--silent", "drift", "--", "--stack", "prod"], { env: sourcedEnvironment() });

const FRONTEND = ["deployment/temporal-frontend", "--namespace", "temporal"];
const WORKERS = "temporal-workers";
const STRAY = "e2e-drift";

const policyList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.looseObject({ podSelector: z.looseObject({}), policyTypes: z.array(z.string()) }),
    }),
  ),
});

/** The policy that closes the namespace of the workers. */
async function closingPolicy(): Promise<string> {
  const { items } = policyList.parse(
    JSON.parse(await kubectl("get", "networkpolicies", "--namespace", WORKERS, "--output=json")),
  );
  const closing = items.filter(
    ({ spec }) => Object.keys(spec.podSelector).length === 0 && spec.policyTypes.length === 2,
  );
  const [policy, ...more] = closing;
  assert.ok(policy !== undefined && more.length === 0, `${closing.length} policies close ${WORKERS}`);
  return policy.metadata.name;
}

const selectPods = (policy: string, selector: object): Promise<string> =>
  kubectl(
    ...["patch", "networkpolicy", policy, "--namespace", WORKERS, "--type=json", "--patch"],
    JSON.stringify([{ op: "replace", path: "/spec/podSelector", value: selector }]),
  );

/** Starts a pod by hand that Pod Security lets in, and waits until it runs. */
async function startStray(): Promise<void> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: STRAY, namespace: WORKERS, labels: { [STRAY]: "stray" } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "shell",
          image: await provideImage(localImages.debian),
          command: ["sleep", "infinity"],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  };
  await execa(
    commandPath(programs.kubernetes, "kubectl"),
    ["--kubeconfig", adminKubeconfig, "apply", "--filename", "-"],
    { input: JSON.stringify(pod) },
  );
  await kubectl("wait", `pod/${STRAY}`, "--namespace", WORKERS, "--for=condition=Ready", "--timeout=60s");
}

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
    const [, pods] = /; policies: nothing found in (\d+) running pods/.exec(output) ?? [];
    // At the least three workers, three instances of Postgres, and two of each of Temporal's roles.
    assert.ok(Number(pods) >= 14, output);
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

  it("names a pod that was started by hand, and that no policy selects", async () => {
    const policy = await closingPolicy();
    try {
      await startStray();
      await selectPods(policy, {
        matchExpressions: [{ key: STRAY, operator: "DoesNotExist" }],
      });
      const { exitCode, output } = await drift();
      assert.equal(exitCode, 3, output);
      const [found = "", ...more] = output
        .split("\n")
        .filter((line) => line.includes("network-policy-coverage"));
      assert.match(found, /mandatory network-policy-coverage: Pod temporal-workers\/e2e-drift: .* Ingress/);
      assert.deepEqual(more, [], "the other pods are selected as before");
    } finally {
      await selectPods(policy, {});
      await kubectl("delete", "pod", STRAY, "--namespace", WORKERS, "--ignore-not-found", "--now");
    }
  });

  it("finds nothing any more once it is put back", async () => {
    await kubectl("scale", ...FRONTEND, "--replicas=2");
    await setLevel(level);
    const { exitCode, output } = await drift();
    assert.equal(exitCode, 0, output);
  });
});
