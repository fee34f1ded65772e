import assert from "node:assert/strict";
import { ENCRYPTED } from "../../settings/sensitive";
import { parseSettings } from "../../settings/settings";
import { LEAST, refusal, source } from "../components/refusal";
import type { Values } from "../harness";

const group = (changes: Values, more: Values = {}): Values => ({
  ...LEAST,
  workers: [{ name: "orders", taskQueues: ["orders"], ...changes }],
  ...more,
});
const pod = (fields: Values) => group({ pod: fields });
const secret = (entry: Values) => group({ secrets: [entry] });
const egress = (entry: Values, more: Values = {}) => group({ egress: [entry] }, more);
const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "64Mi" } };
const sidecar = (changes: Values) =>
  pod({ sidecars: [{ name: "proxy", image: "p", resources, ...changes }] });

describe("what a worker group is given", () => {
  it("is by default a folder to write to, and nothing else", () => {
    const [worker] = parseSettings(source(LEAST)).workers;
    assert.deepEqual(
      [worker?.secrets, worker?.envFrom, worker?.egress, worker?.tmp, worker?.serviceAccount],
      [[], [], [], { sizeLimit: "128Mi" }, { annotations: {}, labels: {}, automountToken: false }],
    );
  });

  it("takes what companies bring", () => {
    const accepted = group({
      secrets: [
        { secret: "stripe", key: "api-key", env: "STRIPE_API_KEY", revision: "2" },
        { secret: "stripe", key: "ca.crt", file: "stripe-ca.crt" },
      ],
      envFrom: [{ secret: "orders-database", prefix: "DB_" }, { configMap: "orders-flags" }],
      egress: [
        { cidrs: ["192.0.2.0/24", "2001:db8::/32"], ports: [443], why: "payments" },
        { namespace: "databases", podLabels: { app: "orders-db" }, ports: [5432] },
      ],
      serviceAccount: {
        name: "orders",
        annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r" },
      },
      pod: {
        labels: { "azure.workload.identity/use": "true" },
        annotations: { "linkerd.io/inject": "enabled" },
        nodeSelector: { "kubernetes.io/arch": "arm64", pool: "workers" },
        tolerations: [{ key: "spot", operator: "Exists", effect: "NoSchedule" }],
        affinity: { nodeAffinity: {} },
        topologySpread: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
        volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Gi" } }],
        volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
        sidecars: [
          { name: "proxy", image: "p", resources, volumeMounts: [{ name: "scratch", mountPath: "/tmp" }] },
        ],
        priorityClassName: "workers",
        runtimeClassName: "gvisor",
      },
    });
    assert.equal(parseSettings(source(accepted)).workers.length, 1);
  });

  it("takes a secret of its own only encrypted", () => {
    const sections = secret({ value: ENCRYPTED, env: "STRIPE_API_KEY" });
    const [worker] = parseSettings(
      source(sections, {
        secretKeys: ["temporal-stack:workers"],
        encrypted: [["workers", 0, "secrets", 0, "value"]],
      }),
    ).workers;
    assert.equal(String(worker?.secrets[0]?.value), "[secret]");
    const plain = refusal(secret({ value: "hunter2", env: "STRIPE_API_KEY" }));
    assert.match(plain, /workers\[0\]\.secrets\[0\]\.value .*must be a secret, got plain text/);
    assert.ok(!plain.includes("hunter2"));
  });

  const refused: readonly [title: string, sections: Values, pattern: RegExp][] = [
    [
      "a secret from nowhere",
      secret({ secret: "stripe", env: "STRIPE" }),
      /secrets\[0\] .*set either `secret` and `key`, or `value`/,
    ],
    ["a secret to nowhere", secret({ secret: "s", key: "k" }), /secrets\[0\] .*set either `env` or `file`/],
    [
      "a secret as a variable of the program",
      secret({ secret: "s", key: "k", env: "TEMPORAL_ADDRESS" }),
      /secrets\[0\]\.env .*set by this program/,
    ],
    [
      "a secret and plain text in one variable",
      group({ env: { STRIPE_URL: "x" }, secrets: [{ secret: "s", key: "k", env: "STRIPE_URL" }] }),
      /secrets\[0\]\.env .*"STRIPE_URL" is set by env already/,
    ],
    [
      "two secrets in one file",
      group({
        secrets: [
          { secret: "s", key: "a", file: "f" },
          { secret: "s", key: "b", file: "f" },
        ],
      }),
      /secrets\[1\]\.file .*"f" is set by secrets\[0\] already/,
    ],
    [
      "variables from two sources at once",
      group({ envFrom: [{ secret: "a", configMap: "b" }] }),
      /envFrom\[0\] .*exactly one of secret and configMap/,
    ],
    [
      "egress to a host name",
      egress({ cidrs: ["api.stripe.com"], ports: [443] }),
      /egress\[0\]\.cidrs\[0\] .*names a host, but NetworkPolicies enforce addresses.*egress proxy/,
    ],
    [
      "egress to a host",
      egress({ host: "api.stripe.com", ports: [443] }),
      /^1 problem[^]*egress\[0\]\.host .*NetworkPolicies enforce addresses/,
    ],
    [
      "egress to an address",
      egress({ cidrs: ["192.0.2.1"], ports: [443] }),
      /cidrs\[0\] .*write it as the range 192\.0\.2\.1\/32/,
    ],
    [
      "egress to two kinds of peers",
      egress({ cidrs: ["192.0.2.0/24"], namespace: "n", ports: [443] }),
      /egress\[0\] .*exactly one of namespace and cidrs/,
    ],
    [
      "egress without ports",
      egress({ namespace: "databases" }),
      /egress\[0\]\.ports .*is missing; must be a list of ports/,
    ],
    [
      "egress to everywhere from a protected stack",
      egress({ cidrs: ["0.0.0.0/0"], ports: [443] }),
      /egress\[0\]\.cidrs\[0\] .*0\.0\.0\.0\/0 lets workers send data anywhere.*deletionProtection.*egress proxy/,
    ],
    [
      "egress to half of everywhere",
      egress({ cidrs: ["128.0.0.0/1"], ports: [443] }),
      /cidrs\[0\] .*anywhere/,
    ],
    ["the node's network", pod({ hostNetwork: true }), /pod\.hostNetwork .*NetworkPolicies do not hold/],
    [
      "a folder of the node",
      pod({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
      /volumes\[0\]\.hostPath .*Pod Security restricted/,
    ],
    [
      "a disk that can be filled",
      pod({ volumes: [{ name: "v", emptyDir: {} }] }),
      /volumes\[0\]\.emptyDir\.sizeLimit .*set sizeLimit/,
    ],
    [
      "a volume of the program",
      pod({ volumes: [{ name: "codec-keys", emptyDir: { sizeLimit: "1Mi" } }] }),
      /volumes\[0\]\.name .*is a volume of this program/,
    ],
    [
      "a mount over the keys",
      pod({
        volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }],
        volumeMounts: [{ name: "v", mountPath: "/var/run/temporal/" }],
      }),
      /volumeMounts\[0\]\.mountPath .*would hide \/var\/run\/temporal\/codec-keys/,
    ],
    [
      "a mount of nothing",
      pod({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      /volumeMounts\[0\]\.name .*none of the volumes here/,
    ],
    [
      "a sidecar with the payload keys",
      sidecar({ volumeMounts: [{ name: "codec-keys", mountPath: "/keys" }] }),
      /sidecars\[0\]\.volumeMounts\[0\]\.name .*none of the volumes here/,
    ],
    [
      "a privileged sidecar",
      sidecar({ securityContext: { privileged: true } }),
      /sidecars\[0\]\.securityContext\.privileged .*Pod Security restricted/,
    ],
    [
      "a sidecar that runs as root",
      sidecar({ securityContext: { runAsUser: 0 } }),
      /securityContext\.runAsUser .*as root/,
    ],
    [
      "a sidecar on a port of the node",
      sidecar({ ports: [{ containerPort: 80, hostPort: 80 }] }),
      /ports\[0\]\.hostPort .*past every NetworkPolicy/,
    ],
    [
      "a sidecar with a secret in plain text",
      sidecar({ env: [{ name: "DB_PASSWORD", value: "hunter2" }] }),
      /env\[0\]\.value .*secretKeyRef/,
    ],
    ["a sidecar without a limit", sidecar({ resources: {} }), /resources\.limits\.memory .*is missing/],
    [
      "two containers of one name",
      pod({
        sidecars: [{ name: "a", image: "p", resources }],
        initContainers: [{ name: "a", image: "p", resources }],
      }),
      /initContainers\[0\]\.name .*choose another/,
    ],
    [
      "a field that Kubernetes does not know",
      pod({ tolerations: [{ keys: "spot" }] }),
      /tolerations\[0\]\.keys .*no field of Kubernetes here; known: .*tolerationSeconds/,
    ],
    [
      "a field of another type",
      pod({ affinity: { nodeAffinity: [] } }),
      /affinity\.nodeAffinity .*must be a mapping, got a list/,
    ],
    [
      "a label that policies select by",
      pod({ labels: { "app.kubernetes.io/name": "temporal" } }),
      /pod\.labels\["app\.kubernetes\.io\/name"\] .*is reserved/,
    ],
    [
      "an annotation that turns the sandbox off",
      pod({ annotations: { "container.apparmor.security.beta.kubernetes.io/worker": "unconfined" } }),
      /pod\.annotations\[.*is reserved/,
    ],
    [
      "the account that every pod shares",
      group({ serviceAccount: { name: "default" } }),
      /serviceAccount\.name .*other than default/,
    ],
    [
      "what the program would set on an account that it does not make",
      group({ serviceAccount: { existing: "shared", name: "own", annotations: { a: "b" } } }),
      /serviceAccount\.name .*"shared" exists: set it there[\s\S]*serviceAccount\.annotations/,
    ],
    [
      "the account of another group as one that exists",
      {
        ...LEAST,
        workers: [
          { name: "a", taskQueues: ["a"], serviceAccount: { name: "a" } },
          { name: "b", taskQueues: ["b"], serviceAccount: { existing: "a" } },
        ],
      },
      /workers\[1\]\.serviceAccount\.existing .*makes for group a/,
    ],
    [
      "one account for two groups",
      {
        ...LEAST,
        workers: ["a", "b"].map((name) => ({ name, taskQueues: [name], serviceAccount: { name: "shared" } })),
      },
      /workers\[1\]\.serviceAccount\.name .*account of group a already/,
    ],
  ];
  for (const [title, sections, pattern] of refused) {
    it(`refuses ${title}, with key and way out`, () => {
      const message = refusal(sections);
      assert.match(message, pattern);
      assert.ok(!message.includes("hunter2"), message);
    });
  }

  it("may reach every address from a stack that may be thrown away", () => {
    const sections = egress({ cidrs: ["0.0.0.0/0"], ports: [443] }, { deletionProtection: false });
    assert.equal(parseSettings(source(sections)).workers.length, 1);
  });
});
