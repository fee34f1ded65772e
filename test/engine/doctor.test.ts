import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { deployerObjects } from "../../components/manifests/deployer";
import { cliOf } from "../../common/pulumi";
import type { Check, Subject } from "../../ops/doctor/check";
import { enforcement } from "../../ops/doctor/checks/enforcement";
import { ingress } from "../../ops/doctor/checks/ingress";
import { metrics } from "../../ops/doctor/checks/metrics";
import { network } from "../../ops/doctor/checks/network";
import { nodes } from "../../ops/doctor/checks/nodes";
import { operators } from "../../ops/doctor/checks/operators";
import { permissions } from "../../ops/doctor/checks/permissions";
import { secrets } from "../../ops/doctor/checks/secrets";
import { storage } from "../../ops/doctor/checks/storage";
import { kubernetes } from "../../ops/doctor/checks/versions";
import { ClusterReader } from "../../ops/doctor/clusterReader";
import { runChecks } from "../../ops/doctor/examine";
import { type Verdict, worst } from "../../ops/doctor/finding";
import type { Settings } from "../../settings/settings";
import { textOf } from "../ops/doctor/cases";
import { ADMINISTRATOR, ApiServer, type ApiUser } from "../support/apiServer";
import { eventually } from "../support/eventually";
import { stackSettings } from "../support/stackSettings";

/* A real API server without a kubelet: nodes, classes and roles are put in as they would be found. */

const deployer: ApiUser = { name: "deployer", groups: ["deployers"] };
const stranger: ApiUser = { name: "stranger" };

const LARGE = { cpu: "8", memory: "32Gi", pods: "110" };

const node = (name: string, allocatable: object, more: { spec?: object; arch?: string } = {}) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/arch": more.arch ?? "amd64", "kubernetes.io/os": "linux" } },
  spec: more.spec ?? {},
  status: { allocatable, conditions: [{ type: "Ready", status: "True" }] },
});

const resourceType = (plural: string, kind: string) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.postgresql.cnpg.io` },
  spec: {
    group: "postgresql.cnpg.io",
    scope: "Namespaced",
    names: { kind, plural },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
});

const storageClass = (changes: object = {}) => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "fast", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "example.com/disks",
  allowVolumeExpansion: true,
  reclaimPolicy: "Retain",
  volumeBindingMode: "WaitForFirstConsumer",
  ...changes,
});

describe("the doctor before a real API server", () => {
  const settings = stackSettings("prod");
  let server: ApiServer;

  const kubectl = async (args: readonly string[], input?: object): Promise<void> => {
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, args, input);
    assert.equal(exitCode, 0, `${args.join(" ")}: ${output}`);
  };
  const create = (...objects: object[]) =>
    kubectl(["create", "--filename", "-"], { apiVersion: "v1", kind: "List", items: objects });
  /** A node's capacity is the kubelet's to say. */
  async function createNode(object: ReturnType<typeof node>): Promise<void> {
    const { status, ...rest } = object;
    await create(rest);
    await kubectl([
      ...["patch", "node", object.metadata.name, "--subresource=status", "--type=merge"],
      ...["--patch", JSON.stringify({ status })],
    ]);
    // Until the kubelet has looked, which nobody here does.
    await kubectl(["taint", "node", object.metadata.name, "node.kubernetes.io/not-ready-"]).catch(
      () => undefined,
    );
  }

  /** What one check says, as the command would show it. */
  async function says(
    check: Check,
    {
      user = ADMINISTRATOR,
      of = settings,
      signal = new AbortController().signal,
    }: { user?: ApiUser; of?: Settings; signal?: AbortSignal } = {},
  ): Promise<{ verdict: Verdict; text: string }> {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(readFileSync(server.kubeconfig(user), "utf8"));
    const subject: Subject = {
      ...{ stack: of.stack, cli: cliOf(of.stack), settings: of, kubeConfig, signal },
      cluster: new ClusterReader(kubeConfig),
    };
    const [made] = await runChecks([check], subject, { skipped: [], onStep: () => undefined, signal });
    const findings = made?.findings ?? [];
    return { verdict: worst(findings), text: textOf(findings) };
  }

  async function expect(verdict: Verdict, says: Promise<{ verdict: Verdict; text: string }>, text = /^/) {
    const found = await says;
    assert.equal(found.verdict, verdict, found.text);
    assert.match(found.text, text);
  }

  before(async () => {
    server = await ApiServer.start(deployer, stranger);
  });

  after(() => server.stop());

  it("reads the cluster's version", () => expect("ok", says(kubernetes), /Kubernetes 1\.\d+\.\d+/));

  it("misses the metrics API, which no autoscaler can do without", () =>
    expect("warning", says(metrics), /orders stays at 3 of at most 20/));

  it("an administrator may do everything", () => expect("ok", says(permissions), /everything/));

  it("names what somebody without permissions lacks, namespaces that are not there among it", () =>
    expect(
      "failed",
      says(permissions, { user: stranger }),
      /in the cluster: .*create namespaces temporal[^]*in namespace temporal: .*secrets[^]*npm run --silent deployer -- -s prod/,
    ));

  it("has nothing against a deployer with what npm run deployer prints, and sees one permission taken away", async () => {
    const items = deployerObjects(settings, { kind: "Group", name: "deployers" });
    await kubectl(["apply", "--server-side", "--filename", "-"], { apiVersion: "v1", kind: "List", items });
    await expect("ok", says(permissions, { user: deployer }), /all \d{3} permissions/);
    const role = ["role", "temporal-stack-deployer", "--namespace=temporal"];
    const { output } = await server.kubectl(ADMINISTRATOR, ["get", ...role, "--output=json"]);
    const { rules } = z
      .object({ rules: z.array(z.looseObject({ resources: z.array(z.string()) })) })
      .parse(JSON.parse(output));
    const less = rules.filter(({ resources }) => !resources.includes("horizontalpodautoscalers"));
    await kubectl(["patch", ...role, "--type=merge", "--patch", JSON.stringify({ rules: less })]);
    const found = await says(permissions, { user: deployer });
    assert.equal(found.verdict, "failed");
    assert.match(
      found.text,
      /^this identity may not, in namespace temporal: get, list, watch, create, patch, update, delete horizontalpodautoscalers\.autoscaling\n/,
    );
  });

  it("sees an operator of somebody else's, and one that is missing", async () => {
    await expect("ok", says(operators), /the stack installs it/);
    const install = { operator: { install: false } };
    const postgres = { mode: "cluster", storage: { size: "10Gi" }, maxConnections: 600 };
    const without = stackSettings("prod", { postgres: { ...postgres, ...install } });
    await expect("failed", says(operators, { of: without }), /serves no clusters\.postgresql\.cnpg\.io/);
    await create(resourceType("clusters", "Cluster"), resourceType("databases", "Database"));
    await expect("failed", says(operators), /not of a Helm release/);
    await eventually("the types are served", async () =>
      (await says(operators, { of: without })).text.includes("its operator is not in namespace cnpg-system"),
    );
    await expect("warning", says(operators, { of: without }));
    await kubectl([
      "delete",
      "customresourcedefinition",
      ...["clusters", "databases"].map((name) => `${name}.postgresql.cnpg.io`),
    ]);
  });

  it("sees that a Secret of the settings is missing, or one of its keys", async () => {
    const managed = stackSettings("prod", {
      postgres: {
        ...{ mode: "managed", host: "postgres.example.com", user: "temporal", maxConnections: 1000 },
        passwordSecret: { name: "login" },
      },
    });
    const ask = () => says(secrets, { of: managed });
    await expect("failed", ask(), /Secret "login" does not exist in namespace "temporal"/);
    const create = (key: string) =>
      kubectl([
        ...["create", "secret", "generic", "login", "--namespace=temporal"],
        `--from-literal=${key}=hunter2`,
      ]);
    await create("pass");
    await expect("failed", ask(), /has no key "password": it has the keys pass/);
    assert.doesNotMatch((await ask()).text, /hunter2/);
    await kubectl(["delete", "secret", "login", "--namespace=temporal"]);
    await create("password");
    await expect("ok", ask());
  });

  it("sees that the API server and DNS are not where network policies lead", async () => {
    const port = Number(new URL(server.address).port);
    const reaching = (apiServer: object) => stackSettings("prod", { networkAccess: { apiServer } });
    const of = reaching({ ports: [443, port] });
    await expect(
      "warning",
      says(network, { of }),
      /where pods resolve names cannot be seen[^]*API server: \S+:\d+/,
    );
    const elsewhere = reaching({ ports: [443, port], cidrs: ["198.51.100.0/24"] });
    await expect(
      "failed",
      says(network, { of: elsewhere }),
      /API server at \S+:\d+\n.*networkAccess\.apiServer/,
    );
    await expect(
      "failed",
      says(network, { of: reaching({ ports: [443] }) }),
      new RegExp(`API server at \\S+:${port}`),
    );
    const meta = { namespace: "kube-system", labels: { app: "other-dns" } };
    await create(
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "dns", ...meta },
        spec: {
          automountServiceAccountToken: false,
          containers: [{ name: "dns", image: "example.com/dns:1" }],
        },
      },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: "kube-dns",
          namespace: "kube-system",
          labels: { "kubernetes.io/service-name": "kube-dns" },
        },
        addressType: "IPv4",
        endpoints: [
          { addresses: ["10.1.0.7"], targetRef: { kind: "Pod", name: "dns", namespace: "kube-system" } },
        ],
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "metrics", port: 9153, protocol: "TCP" },
        ],
      },
    );
    await expect("failed", says(network, { of }), /DNS server kube-system\/dns at 10\.1\.0\.7:53/);
    await kubectl(["label", "pod", "dns", "--namespace=kube-system", "k8s-app=kube-dns"]);
    await expect("ok", says(network, { of }), /names: DNS server kube-system\/dns/);
  });

  it("sees that there is no ingress class", async () => {
    const ui = { ingress: { host: "t.example.com", tlsSecret: "tls", className: "nginx" } };
    const of = stackSettings("prod", {
      temporal: { mode: "chart", ui },
      networkAccess: { uiFrom: [{ namespace: "ingress" }] },
    });
    await expect("failed", says(ingress, { of }), /no ingress class nginx: it has none/);
    await create({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "nginx" },
      spec: { controller: "example.com/ingress" },
    });
    await expect("ok", says(ingress, { of }));
  });

  it("has nothing left of a probe whose pods do not start, which was not made, and of one that was killed", async () => {
    const left = { name: "temporal-stack-doctor-left", labels: { "temporal-stack/doctor": "probe" } };
    const owner = JSON.stringify({ host: hostname(), pid: 999_999_999, started: "1" });
    const annotations = { "temporal-stack/doctor-process": owner };
    await create({ apiVersion: "v1", kind: "Namespace", metadata: { ...left, annotations } });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 3_000);
    // Without controllers no ServiceAccount comes, and without a kubelet no pod.
    const made = await says(enforcement, { signal: stop.signal });
    assert.equal(made.verdict, "not checked", made.text);
    assert.match(made.text, /not in time, or interrupted/);
    const names = ["get", "namespaces", "--selector=temporal-stack/doctor", "--output=json"];
    const { output } = await server.kubectl(ADMINISTRATOR, names);
    const { items } = z
      .object({
        items: z.array(z.object({ metadata: z.object({ deletionTimestamp: z.string().optional() }) })),
      })
      .parse(JSON.parse(output));
    // Who empties a namespace that is to go is a controller.
    assert.equal(items.length, 2);
    assert.ok(
      items.every(({ metadata }) => metadata.deletionTimestamp !== undefined),
      output,
    );
  });

  it("does not probe for who may not make a namespace", () =>
    expect(
      "not checked",
      says(enforcement, { user: deployer }),
      /403: namespaces is forbidden[^]*--skip enforcement/,
    ));

  it("is not stopped by what an identity may not see", () =>
    expect("not checked", says(nodes, { user: deployer }), /403: nodes is forbidden[^]*--skip nodes/));

  it("sees that there is no default storage class, and what is wrong with one", async () => {
    await expect("failed", says(storage), /postgres\.storage\.storageClass: .*no default class/);
    await create(storageClass());
    await expect("ok", says(storage), /storage class fast \(postgres\.storage, postgres\.walStorage\)/);
    await kubectl(["delete", "storageclass", "fast"]);
    await create(
      storageClass({ allowVolumeExpansion: false, reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
    );
    await expect("warning", says(storage), /never grow[^]*deletes the data[^]*binds at once/);
  });

  it("sees that nodes are missing, too small, tainted or of another architecture", async () => {
    await expect("failed", says(nodes), /there are none/);
    await createNode(node("small", { cpu: "2", memory: "3Gi", pods: "110" }));
    await expect(
      "failed",
      says(nodes),
      /a pod of postgres asks for 1 CPU and 4 GiB .*at most 2 CPU and 3 GiB/,
    );
    await createNode(node("large-1", LARGE));
    await expect("failed", says(nodes), /3 pods of postgres need a node each, and 1 fits/);
    await createNode(node("large-2", LARGE));
    const taints = [{ key: "dedicated", value: "gpu", effect: "NoSchedule" }];
    await createNode(node("tainted", LARGE, { spec: { taints } }));
    await expect("failed", says(nodes), /and 2 fit[^]*/);
    await kubectl(["taint", "node", "tainted", "dedicated-"]);
    await expect("ok", says(nodes), /asks for 7\.26 CPU[^]*4 nodes have 26 CPU and 99 GiB/);
    await createNode(node("arm", LARGE, { arch: "arm64" }));
    await expect("ok", says(nodes), /5 nodes have 34 CPU/);
    await kubectl(["delete", "node", "arm"]);
    const forArm = stackSettings("prod", {
      workerImage: { repository: "example.com/worker", platform: "linux/arm64" },
    });
    await expect(
      "failed",
      says(nodes, { of: forArm }),
      /no node takes pods of workers\[orders\]: none has .*arm64/,
    );
  });

  it("counts what pods of others ask for", async () => {
    const container = {
      name: "other",
      image: "example.com/other:1",
      resources: { requests: { memory: "30Gi" } },
    };
    const pod = (name: string, namespace: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: { nodeName: "large-1", automountServiceAccountToken: false, containers: [container] },
    });
    await create(pod("other", "default"));
    await expect("failed", says(nodes), /3 pods of postgres need a node each, and 2 fit/);
    await kubectl(["delete", "pod", "other", "--namespace=default", "--grace-period=0", "--force"]);
    await expect("ok", says(nodes));
  });
});
