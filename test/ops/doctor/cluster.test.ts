import assert from "node:assert/strict";
import { hostname } from "node:os";
import { startTime } from "../../../common/processes";
import { MONITORING_RESOURCES } from "../../../components/manifests/podMonitorManifests";
import { backendFindings } from "../../../ops/doctor/checks/backend";
import { enforcementFindings } from "../../../ops/doctor/checks/enforcement";
import { ingressFindings } from "../../../ops/doctor/checks/ingress";
import {
  apiFindings,
  ciliumFindings,
  dnsFindings,
  neededFlows,
  type NetworkTarget,
} from "../../../ops/doctor/checks/network";
import { installFindings, monitoringFindings, presentFindings } from "../../../ops/doctor/checks/operators";
import { objectFinding } from "../../../ops/doctor/checks/secrets";
import { secretsFindings } from "../../../ops/doctor/checks/secretsProvider";
import { existingObjects } from "../../../ops/doctor/existingObjects";
import { probeImage } from "../../../ops/doctor/probeImage";
import { isLeftOver } from "../../../ops/stack/temporaryNamespace";
import { images } from "../../../settings/versions";
import { chartSettings, MANAGED } from "../../components/samples";
import { stackSettings } from "../../support/stackSettings";
import { verdicts } from "./cases";

describe("what the doctor says of the backend", () => {
  const of = (url: string, more: object = {}, keeps = true) =>
    backendFindings("prod", { url, variable: undefined, ...more }, keeps);
  const gone = { pid: 999_999_999, username: "ann", hostname: hostname() };
  verdicts({
    "a bucket": [() => of("s3://state"), "ok", /s3:\/\/state/],
    "a login in its URL": [
      () => of("postgres://ann:secret@db/state?password=x"),
      "ok",
      /^(?!.*secret|.*password)/s,
    ],
    "a folder that may be lost": [() => of("file:///state", {}, false), "ok"],
    "a folder that may not": [() => of("file:///state"), "warning", /this machine only/],
    "a relative folder": [
      () => of("file:///w/state", { variable: "file://./state" }, false),
      "warning",
      /relative/,
    ],
    "a lock of a process that is gone": [
      () => of("s3://state", { locks: [gone] }),
      "failed",
      /recover -- -s prod/,
    ],
    "a lock of another machine": [
      () => of("s3://state", { locks: [{ ...gone, hostname: "elsewhere" }] }),
      "warning",
      /another command works/,
    ],
  });
});

describe("what the doctor says of the secrets provider", () => {
  const access = { provider: undefined, opened: "yes", passphrase: "set", service: false } as const;
  const of = (changes: object, keeps = true) => secretsFindings("prod", { ...access, ...changes }, keeps);
  verdicts({
    "a passphrase that opens them": [() => of({}), "ok", /a passphrase/],
    "a key service": [
      () => of({ provider: "awskms://alias/x?region=y", passphrase: "none" }),
      "ok",
      /awskms$/m,
    ],
    "an empty passphrase": [() => of({ passphrase: "empty" }), "warning", /empty/],
    "an empty passphrase of what may be thrown away": [() => of({ passphrase: "empty" }, false), "ok"],
    "no stack yet": [() => of({ opened: "no stack" }), "warning", /pulumi stack init prod/],
    "no stack yet and no passphrase": [
      () => of({ opened: "no stack", passphrase: "none" }),
      "failed",
      /PULUMI_CONFIG_PASSPHRASE/,
    ],
    "no stack yet at a service that keeps keys": [
      () => of({ opened: "no stack", passphrase: "none", service: true }),
      "warning",
    ],
    "secrets that stay closed": [
      () => of({ opened: { problem: "wrong", remedy: "set it" } }),
      "failed",
      /wrong\nset it/,
    ],
  });
});

describe("what the doctor says of ingress classes", () => {
  const nginx = { name: "nginx", isDefault: false };
  verdicts({
    "the named one": [() => ingressFindings("nginx", [nginx]), "ok"],
    "the default one": [() => ingressFindings(undefined, [{ ...nginx, isDefault: true }]), "ok", /nginx/],
    "no default one": [() => ingressFindings(undefined, [nginx]), "failed", /no default .*it has nginx/],
    "another one": [() => ingressFindings("traefik", []), "failed", /no ingress class traefik: it has none/],
  });
});

describe("what the doctor says of operators", () => {
  const { cluster } = chartSettings();
  const helm = (release: string, namespace: string) => ({
    annotations: { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace },
  });
  const served = ["clusters", "databases", "poolers"];
  const { tag } = images.cloudNativePgOperator;
  verdicts({
    "none there, to be installed": [() => installFindings(cluster, undefined), "ok"],
    "the stack's own": [() => installFindings(cluster, helm("cnpg", "cnpg-system")), "ok", /already/],
    "somebody else's release": [
      () => installFindings(cluster, helm("cnpg", "databases")),
      "failed",
      /of Helm release databases\/cnpg.*\n.*operator\.install to false/,
    ],
    "one of no release": [
      () => installFindings(cluster, { annotations: {} }),
      "failed",
      /not of a Helm release/,
    ],
    "one of an administrator": [
      () => presentFindings(cluster, { served, images: [`r/cnpg:${tag}@sha256:0`] }),
      "ok",
    ],
    "an older one": [
      () => presentFindings(cluster, { served, images: ["r/cnpg:1.26.0"] }),
      "warning",
      /1\.26\.0/,
    ],
    none: [
      () => presentFindings(cluster, { served: undefined, images: [] }),
      "failed",
      /clusters\.postgresql\.cnpg\.io/,
    ],
    "one that knows no databases": [
      () => presentFindings(cluster, { served: ["clusters"], images: ["r/cnpg:1.24.0"] }),
      "failed",
      /serves no databases\.postgresql\.cnpg\.io/,
    ],
    "one in another namespace": [
      () => presentFindings(cluster, { served, images: [] }),
      "warning",
      /operator\.namespace/,
    ],
    "a Prometheus operator": [() => monitoringFindings([...MONITORING_RESOURCES, "probes"]), "ok"],
    "no Prometheus operator": [
      () => monitoringFindings(undefined),
      "failed",
      /serves no podmonitors\.monitoring\.coreos\.com.*\n.*monitoring\.mode to none/,
    ],
  });
});

describe("what the doctor says of Secrets that the settings name", () => {
  const named = existingObjects(
    stackSettings("prod", {
      temporal: {
        mode: "chart",
        ui: { ingress: { host: "t.example.com", tlsSecret: "ui-tls" }, envSecret: "ui-env" },
      },
      networkAccess: { uiFrom: [{ namespace: "ingress" }] },
      postgres: {
        ...MANAGED,
        caFrom: { configMap: "pg-ca" },
        clientCertificateSecret: { name: "pg-client" },
      },
    }),
  );
  const [password] = named.filter(({ setting }) => setting === "postgres.passwordSecret");
  assert.ok(password);

  it("knows each of them, by namespace and key", () => {
    assert.deepEqual(
      named.map(
        ({ setting, kind, namespace, name, key }) => `${setting}: ${kind} ${namespace}/${name} ${key ?? ""}`,
      ),
      [
        "postgres.passwordSecret: Secret temporal/postgres-login password",
        "postgres.clientCertificateSecret: Secret temporal/pg-client tls.crt",
        "postgres.clientCertificateSecret: Secret temporal/pg-client tls.key",
        "postgres.caFrom: ConfigMap temporal/pg-ca ca.crt",
        "temporal.ui.ingress.tlsSecret: Secret temporal/ui-tls tls.crt",
        "temporal.ui.envSecret: Secret temporal/ui-env ",
      ],
    );
  });

  it("knows those of images and of a server elsewhere", () => {
    const settings = stackSettings("prod", {
      postgres: undefined,
      imagePull: { existing: ["pull"] },
      temporal: {
        mode: "external",
        address: "temporal.example.com:7233",
        namespace: "orders",
        network: { cidrs: ["192.0.2.0/24"] },
        apiKeySecret: { name: "cloud", key: "api-key" },
        tls: { secret: { name: "tls", caKey: "ca.crt" } },
      },
    });
    assert.deepEqual(
      existingObjects(settings).map(({ namespace, name, key }) => `${namespace}/${name}: ${key ?? ""}`),
      [
        "temporal-workers/pull: .dockerconfigjson",
        "temporal-workers/tls: ca.crt",
        "temporal-workers/cloud: api-key",
      ],
    );
  });

  verdicts({
    "one with its keys": [() => [objectFinding(password, { keys: ["password"] })], "ok"],
    "one that is not there": [
      () => [objectFinding(password, undefined)],
      "failed",
      /postgres\.passwordSecret: Secret "postgres-login" does not exist in namespace "temporal"/,
    ],
    "one without the key": [
      () => [objectFinding(password, { keys: ["pass"] })],
      "failed",
      /has no key "password": it has the keys pass/,
    ],
    "one that cert-manager makes": [
      () => [objectFinding({ ...password, madeBy: "cert-manager" }, undefined)],
      "ok",
      /made by cert-manager/,
    ],
  });
});

describe("what the doctor says of the way to DNS and the API server", () => {
  const { dns, api } = neededFlows(stackSettings("prod"));
  const narrow = neededFlows(
    stackSettings("prod", { networkAccess: { apiServer: { cidrs: ["10.0.0.0/24"], ports: [443, 6443] } } }),
  ).api;
  const cilium = neededFlows(stackSettings("prod", { networkAccess: { cilium: true } })).api;
  const server = (labels: object, more: Partial<NetworkTarget> = {}): NetworkTarget => ({
    ...{ what: "DNS server d", address: "10.1.0.7", ports: [53] },
    pod: { namespace: "kube-system", labels: { ...labels } },
    ...more,
  });
  const endpoint = (address: string, port = 6443) => [{ address, ports: [port] }];
  const service = { name: "default/kubernetes", clusterIps: ["10.0.0.1"], ports: [443] };
  verdicts({
    CoreDNS: [() => dnsFindings(dns, [server({ "k8s-app": "kube-dns" })]), "ok"],
    "DNS under other labels": [
      () => dnsFindings(dns, [server({ app: "my-dns" })]),
      "failed",
      /keep .* DNS server d at 10\.1\.0\.7:53/,
    ],
    "DNS on another port": [
      () => dnsFindings(dns, [server({ "k8s-app": "kube-dns" }, { ports: [1053] })]),
      "failed",
      /:1053/,
    ],
    "DNS that nobody can see": [() => dnsFindings(dns, []), "warning", /resolv\.conf/],
    "the API server anywhere": [
      () => apiFindings(api, endpoint("192.0.2.1"), service),
      "ok",
      /192\.0\.2\.1:6443/,
    ],
    "the API server in the named range": [() => apiFindings(narrow, endpoint("10.0.0.9"), service), "ok"],
    "the API server elsewhere": [
      () => apiFindings(narrow, endpoint("192.0.2.1"), service),
      "failed",
      /API server at 192\.0\.2\.1:6443\n.*networkAccess\.apiServer/,
    ],
    "the API server on another port": [
      () => apiFindings(narrow, endpoint("10.0.0.9", 8443), service),
      "failed",
      /8443/,
    ],
    "its Service elsewhere": [
      () => apiFindings(narrow, endpoint("10.0.0.9"), { ...service, clusterIps: ["172.20.0.1"] }),
      "warning",
      /Service default\/kubernetes at 172\.20\.0\.1:443/,
    ],
    "the API server by Cilium's name": [() => apiFindings(cilium, endpoint("192.0.2.1"), service), "ok"],
    "Cilium's policies": [() => ciliumFindings(["ciliumnetworkpolicies"]), "ok"],
    "another plugin than Cilium": [
      () => ciliumFindings(undefined),
      "failed",
      /networkAccess\.cilium to false/,
    ],
    "NodeLocal DNSCache": [
      () => dnsFindings(dns, [{ what: "cache", address: "169.254.20.10", ports: [53], entity: "host" }]),
      "ok",
    ],
    "the API server by IPv6": [() => apiFindings(api, endpoint("2001:db8::1"), service), "ok"],
  });
});

describe("what the doctor says of enforcement", () => {
  const [reached, refused] = [
    { reached: true, said: "" },
    { reached: false, said: "deadline exceeded" },
  ];
  verdicts({
    "a connection that only a policy refuses": [
      () => enforcementFindings({ before: reached, denied: refused, after: reached }),
      "ok",
    ],
    "a connection that no policy refuses": [
      () => enforcementFindings({ before: reached, denied: reached, after: reached }),
      "failed",
      /not enforced/,
    ],
    "a connection that never was": [
      () => enforcementFindings({ before: refused, denied: refused, after: refused }),
      "not checked",
      /deadline exceeded/,
    ],
    "a connection that does not come back": [
      () => enforcementFindings({ before: reached, denied: refused, after: refused }),
      "not checked",
      /proves nothing/,
    ],
  });

  it("is tried with an image that the stack needs anyway", () => {
    assert.match(probeImage(stackSettings("local"))?.image ?? "", /temporalio\/temporal/);
    const tools = probeImage(stackSettings("prod"));
    assert.match(tools?.image ?? "", /admin-tools/);
    assert.deepEqual(tools?.connect("h:1").command, ["temporal"]);
    const external = {
      temporal: {
        mode: "external",
        address: "temporal.example.com:7233",
        namespace: "orders",
        network: { cidrs: ["192.0.2.0/24"] },
      },
      postgres: undefined,
    };
    assert.equal(probeImage(stackSettings("prod", external)), undefined);
    const workerImage = { repository: "r.example.com/worker", digest: `sha256:${"a".repeat(64)}` };
    const byWorker = probeImage(stackSettings("prod", { ...external, workerImage }));
    assert.match(byWorker?.image ?? "", /^r\.example\.com\/worker@sha256:a/);
    assert.equal(byWorker?.connect("h:1").args.at(-1), "h:1");
  });

  const owned = (owner: string, age: number, more: object = {}) => ({
    metadata: {
      creationTimestamp: new Date(1_000_000_000_000 - age * 1000),
      annotations: { "temporal-stack/doctor-process": owner },
      ...more,
    },
  });
  const ownerOf = (host: string, pid: number, started: string) => JSON.stringify({ host, pid, started });
  const leftOver = {
    "of a process that is gone": [owned(ownerOf(hostname(), 999_999_999, "1"), 5), true],
    "of this very process": [owned(ownerOf(hostname(), process.pid, startTime(process.pid) ?? ""), 5), false],
    "of an earlier process of this id": [owned(ownerOf(hostname(), process.pid, "1"), 5), true],
    "of another machine": [owned(ownerOf("elsewhere", 1, "1"), 5), false],
    "of another machine, long ago": [owned(ownerOf("elsewhere", 1, "1"), 3600), true],
    "that goes already": [
      owned(ownerOf("elsewhere", 1, "1"), 3600, { deletionTimestamp: new Date() }),
      false,
    ],
  } as const;
  for (const [what, [namespace, expected]] of Object.entries(leftOver))
    it(`a namespace ${what} is ${expected ? "" : "not "}left over`, () =>
      assert.equal(isLeftOver(namespace, 1_000_000_000_000, "doctor"), expected));
});
