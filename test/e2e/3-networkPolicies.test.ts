import assert from "node:assert/strict";
import { selects, stackFlows } from "../../components/manifests/flows";
import { parseSettings, type Settings } from "../../components/settings";
import { addresses } from "../../local/cluster/native/addresses";
import { localImages, provideImage } from "../../local/cluster/native/images";
import { type Target, reachable } from "./podNetwork";
import { engineConfig, stackConfig } from "../program/stack";
import { kubectl, type Pod, podsOf, succeed } from "./support";

const OUTSIDER = "e2e-outsider";

/** Every port that something listens on in the stack's pods, and in what they may reach. */
const listening: readonly { readonly of: string; readonly ports: readonly Omit<Target, "address">[] }[] = [
  {
    of: "temporal",
    ports: [
      { port: 7233, protocol: "TCP" },
      { port: 8233, protocol: "TCP" },
    ],
  },
  {
    of: "temporal-workers",
    ports: [
      { port: 8080, protocol: "TCP" },
      { port: 9464, protocol: "TCP" },
    ],
  },
  {
    of: "kube-system",
    ports: [
      { port: 53, protocol: "TCP" },
      { port: 53, protocol: "UDP" },
      { port: 8181, protocol: "TCP" },
    ],
  },
];

describe("NetworkPolicies", () => {
  const settings = parseSettings({
    stack: "local",
    stackFile: "Pulumi.local.yaml",
    config: engineConfig(stackConfig("local")),
    secretKeys: [],
  });

  before("they are enforced, and a pod of somebody else is there", async () => {
    await succeed(["npm", "run", "addons"]);
    const image = await provideImage(localImages.debian);
    await kubectl(
      "run",
      OUTSIDER,
      "--namespace=default",
      `--image=${image}`,
      "--command",
      "--",
      "sleep",
      "infinity",
    );
    await kubectl("wait", "--namespace=default", "--for=condition=Ready", `pod/${OUTSIDER}`, "--timeout=60s");
  });

  after(() => kubectl("delete", "pod", OUTSIDER, "--namespace=default", "--now"));

  it("let every listed flow through, and nothing else", async () => {
    const inside = [...(await podsOf("temporal")), ...(await podsOf("temporal-workers"))];
    const sources = [...inside, ...(await podsOf("default"))];
    const dns = (await podsOf("kube-system")).filter(
      ({ metadata }) => metadata.labels["k8s-app"] === "kube-dns",
    );
    const wrong: string[] = [];
    let tried = 0;
    for (const source of sources) {
      const pairs = [...inside, ...dns]
        .filter((pod) => pod !== source)
        .flatMap((pod) =>
          portsOf(pod).map((port) => ({ pod, port, target: { address: ipOf(pod), ...port } })),
        )
        // What no policy of ours closes: a stranger's way to the cluster's own DNS.
        .filter(({ pod }) => inside.includes(source) || inside.includes(pod));
      const reached = await reachable(
        ipOf(source),
        pairs.map(({ target }) => target),
      );
      tried += pairs.length;
      pairs.forEach(({ pod, port }, index) => {
        const expected = isListed(settings, source, pod, port);
        if (reached[index] !== expected) {
          wrong.push(
            `${nameOf(source)} → ${nameOf(pod)} ${port.protocol} ${port.port}: ${expected ? "refused" : "reached"}`,
          );
        }
      });
    }
    assert.deepEqual(wrong, []);
    assert.ok(tried >= 12, `only ${tried} pairs were tried`);
  });

  it("keep the stack's pods from the API server and the node", async () => {
    const targets: Target[] = [6443, 5000, 10250].map((port) => ({
      address: addresses.nodeIp,
      port,
      protocol: "TCP",
    }));
    for (const pod of [...(await podsOf("temporal")), ...(await podsOf("temporal-workers"))]) {
      assert.deepEqual(await reachable(ipOf(pod), targets), [false, false, false], nameOf(pod));
    }
  });
});

const isListed = (settings: Settings, source: Pod, target: Pod, port: Omit<Target, "address">): boolean =>
  stackFlows(settings).some(
    ({ from, to, ports }) =>
      from.kind === "pods" &&
      selects(from, source.metadata) &&
      to.kind === "pods" &&
      selects(to, target.metadata) &&
      ports.some((allowed) => allowed.port === port.port && allowed.protocol === port.protocol),
  );

const portsOf = ({ metadata }: Pod): readonly Omit<Target, "address">[] =>
  listening.find(({ of }) => of === metadata.namespace)?.ports ?? [];

const ipOf = ({ status }: Pod): string => status.podIP ?? "";
const nameOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
