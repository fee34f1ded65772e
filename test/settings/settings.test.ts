import assert from "node:assert/strict";
import { NETWORK_PRESETS } from "../../settings/networkPresets";
import { parseSettings } from "../../settings/settings";
import { pem } from "../fixtures/certificates";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "../components/refusal";
import { chartSections } from "../components/samples";

const worker = (changes: Values) => ({
  ...LEAST,
  workers: [{ name: "orders", taskQueues: ["orders"], ...changes }],
});

const CERTIFICATE = pem("client.crt");
const external = (changes: Values) => ({
  ...LEAST,
  temporal: { mode: "external", address: "a:1", namespace: "n", network: { namespace: "t" }, ...changes },
});

const jwt: Values = {
  mode: "jwt",
  issuer: "https://login.example.com/",
  audience: "temporal-codec",
  jwksUrl: "https://login.example.com/jwks",
  requiredClaims: { groups: ["temporal-admins"] },
  network: { cidrs: ["192.0.2.0/24"] },
};

const codecServer = (changes: Values, encryption: Values = {}) => ({
  ...LEAST,
  payloadEncryption: {
    ...encryption,
    codecServer: { uiOrigin: "https://temporal.example.com", ...changes },
  },
});

describe("settings", () => {
  it("fill in what production wants", () => {
    const settings = parseSettings(source(LEAST));
    const [group] = settings.workers;
    assert.deepEqual(group?.replicas, { min: 3, max: 10, targetCpuPercent: 70 });
    assert.deepEqual(group.resources, {
      requests: { cpu: "250m", memory: "256Mi" },
      limits: { memory: "1Gi" },
    });
    assert.deepEqual(group.shutdown, {
      graceSeconds: 30,
      forceSeconds: 40,
      terminationGracePeriodSeconds: 60,
    });
    assert.deepEqual([group.activityPollers, group.workflowTaskPollers], ["auto", "auto"]);
    assert.equal(group.maxCachedWorkflows, undefined, "the worker knows what its memory bears");
    assert.equal(settings.deletionProtection, true);
    assert.deepEqual(settings.payloadEncryption, {
      enabled: true,
      keys: [{ id: "key-1" }],
      activeKey: "key-1",
      bindToWorkflow: true,
      requireEncrypted: false,
      retiredKeys: [],
      forgottenKeys: [],
    });
    assert.deepEqual(settings.networkAccess, {
      frontendFrom: [],
      uiFrom: [],
      codecFrom: [],
      metricsFrom: [],
      dns: NETWORK_PRESETS.generic.dns,
      apiServer: { peers: [{ cidrs: ["0.0.0.0/0", "::/0"] }], ports: [443, 6443] },
      webhooksFrom: [{ cidrs: ["0.0.0.0/0", "::/0"] }, ...NETWORK_PRESETS.generic.webhookCallers],
      preset: "generic",
      cilium: false,
    });
  });

  it("make a codec server that needs a token", () => {
    const { payloadEncryption } = parseSettings(source(codecServer({})));
    assert.deepEqual(payloadEncryption.codecServer, {
      uiOrigin: "https://temporal.example.com",
      auth: { mode: "token" },
      replicas: 2,
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "384Mi" } },
    });
  });

  const cases: readonly [title: string, sections: Values, pattern: RegExp][] = [
    [
      "a peer that is neither pods nor addresses",
      { ...LEAST, networkAccess: { uiFrom: [{}] } },
      /networkAccess\.uiFrom\[0\] .*the way to the ingress controller; set exactly one of namespace and cidrs/,
    ],
    [
      "a peer that is both",
      { ...LEAST, networkAccess: { uiFrom: [{ namespace: "ingress", cidrs: ["192.0.2.0/24"] }] } },
      /networkAccess\.uiFrom\[0\] .*set exactly one of namespace and cidrs/,
    ],
    [
      "labels of addresses",
      { ...LEAST, networkAccess: { uiFrom: [{ podLabels: { app: "nginx" }, cidrs: ["192.0.2.0/24"] }] } },
      /networkAccess\.uiFrom\[0\]\.podLabels .*selects pods of namespace, which is not set/,
    ],
    [
      "an unknown network",
      { ...LEAST, networkAccess: { preset: "gcp" } },
      /networkAccess\.preset .*one of "generic", "gke", "eks", "aks", "openshift", got "gcp"/,
    ],
    [
      "a PodMonitor by its old key",
      chartSections({}, { podMonitor: false }),
      /postgres\.podMonitor .*is now part of monitoring\.mode; remove it, and set monitoring\.mode to `resources`/,
    ],
    [
      "monitoring of a Prometheus that nobody knows",
      { ...LEAST, monitoring: { mode: "resources" } },
      /monitoring\.prometheus .*must be a mapping with namespace or cidrs/,
    ],
    [
      "a Prometheus for everybody",
      { ...LEAST, monitoring: { mode: "resources", prometheus: { cidrs: ["0.0.0.0/0"] } } },
      /monitoring\.prometheus\.cidrs\[0\] .*0\.0\.0\.0\/0 lets everybody in; list the ranges of Prometheus, \/8 or longer/,
    ],
    [
      "labels of the program for what Prometheus selects",
      {
        ...LEAST,
        monitoring: {
          mode: "resources",
          prometheus: { namespace: "monitoring" },
          labels: { "temporal-stack/stack": "other" },
        },
      },
      /monitoring\.labels\["temporal-stack\/stack"\] .*is reserved/,
    ],
    [
      "a group without metrics that does not exist",
      {
        ...LEAST,
        monitoring: {
          mode: "resources",
          prometheus: { namespace: "monitoring" },
          groupsWithoutMetrics: ["ordres"],
        },
      },
      /monitoring\.groupsWithoutMetrics\[0\] .*"ordres" is no worker group of this stack \(orders\)/,
    ],
    [
      "an objective that the server's histogram cannot show",
      {
        ...LEAST,
        monitoring: {
          mode: "resources",
          prometheus: { namespace: "monitoring" },
          slo: { start: { percent: 100 }, scheduleToStart: { seconds: 3 } },
        },
      },
      /slo\.start\.percent .*a number from 95 to 99\.99 \(percent\), got 100[^]*slo\.scheduleToStart\.seconds .*one of 0\.05, .*got 3/,
    ],
    [
      "a mode of monitoring that does not exist",
      { ...LEAST, monitoring: { mode: "stack" } },
      /monitoring\.mode .*"none".*"resources"/,
    ],
    [
      "a door for everybody",
      { ...LEAST, networkAccess: { frontendFrom: [{ cidrs: ["192.0.2.0/24", "0.0.0.0/0"] }] } },
      /networkAccess\.frontendFrom\[0\]\.cidrs\[1\] .*0\.0\.0\.0\/0 lets everybody in; list the ranges of the clients, \/8 or longer/,
    ],
    [
      "an API server that is pods and addresses",
      { ...LEAST, networkAccess: { apiServer: { namespace: "vcluster", cidrs: ["192.0.2.0/24"] } } },
      /networkAccess\.apiServer .*the way to the API server; set exactly one of namespace and cidrs/,
    ],
    [
      "an API server of which only labels are known",
      { ...LEAST, networkAccess: { apiServer: { podLabels: { app: "vcluster" } } } },
      /networkAccess\.apiServer\.podLabels .*selects pods of namespace, which is not set/,
    ],
    [
      "no caller of webhooks",
      { ...LEAST, networkAccess: { webhooksFrom: [] } },
      /networkAccess\.webhooksFrom .*at least one caller: without admission no Postgres cluster can be made/,
    ],
    [
      "a DNS server without its ports",
      { ...LEAST, networkAccess: { dns: [{ namespace: "dns" }] } },
      /networkAccess\.dns\[0\]\.ports .*is missing; must be a list of ports/,
    ],
    [
      "no DNS server at all",
      { ...LEAST, networkAccess: { dns: [] } },
      /networkAccess\.dns .*at least one DNS server: without names nothing of the stack works, got an empty list/,
    ],
    [
      "a host name where only addresses can be enforced",
      external({ network: { cidrs: ["temporal.example.com"] } }),
      /temporal\.network\.cidrs\[0\] .*names a host, but NetworkPolicies enforce addresses, not host names; list in cidrs .* or name an egress proxy/,
    ],
    [
      "a host where only addresses can be enforced",
      external({ network: { host: "temporal.example.com" } }),
      /^1 problem[^]*temporal\.network\.host .*NetworkPolicies enforce addresses, not host names; list in cidrs/,
    ],
    [
      "an address in the place of a range",
      external({ network: { cidrs: ["192.0.2.7", "2001:db8::7"] } }),
      /temporal\.network\.cidrs\[0\] .*192\.0\.2\.7\/32[^]*cidrs\[1\] .*2001:db8::7\/128/,
    ],
    [
      "a missing section",
      {},
      /temporal-stack:workers \(Pulumi\.dev\.yaml\): is missing; must be a list of workers/,
    ],
    ["an unknown section", { ...LEAST, wrokers: [] }, /temporal-stack:wrokers .*did you mean "workers"/],
    [
      "an unknown key deep inside",
      worker({ replicas: { maximum: 4 } }),
      /temporal-stack:workers\[0\]\.replicas\.maximum .*unknown key; remove it; known here: min, max, targetCpuPercent/,
    ],
    [
      "secrets of a build, which nothing could hand over",
      { ...LEAST, workerImage: { repository: "registry.example/worker", buildSecrets: { npmrc: "x" } } },
      /temporal-stack:workerImage\.buildSecrets .*cannot be: .*`docker buildx build --secret` .*set its `digest`/,
    ],
    [
      "a number in quotes",
      worker({ replicas: { max: "20" } }),
      /replicas\.max .*must be an integer from 1 to 1000 \(maximum pods\), got "20"; remove the quotes/,
    ],
    [
      "max below min",
      worker({ replicas: { min: 5, max: 4 } }),
      /workers\[0\]\.replicas\.max .*maximum \(4\) is below its minimum, replicas\.min \(5\)/,
    ],
    [
      "a force time within grace",
      worker({ shutdown: { forceSeconds: 30 } }),
      /shutdown\.forceSeconds .*60 > 40 > 30/,
    ],
    [
      "a kill before the force time",
      worker({ shutdown: { terminationGracePeriodSeconds: 40 } }),
      /terminationGracePeriodSeconds .*would kill the pod after 40 s/,
    ],
    [
      "a request above the limit",
      worker({ resources: { requests: { memory: "2Gi" } } }),
      /resources\.requests\.memory .*\(2Gi\) is above the limit \(1Gi\)/,
    ],
    [
      "a CPU request above the limit",
      worker({ resources: { limits: { cpu: "100m" } } }),
      /resources\.requests\.cpu .*\(250m\) is above the limit \(100m\)/,
    ],
    [
      "a quantity in another spelling",
      worker({ resources: { limits: { memory: "1024Mi" } } }),
      /must be 1Gi, the spelling that Kubernetes keeps, got "1024Mi"/,
    ],
    [
      "a cache that does not fit",
      worker({ maxCachedWorkflows: 500 }),
      /maxCachedWorkflows .*set at most 358/,
    ],
    [
      "a cache that does not fit the smaller heaps of several queues",
      worker({ taskQueues: ["a", "b"], maxCachedWorkflows: 600 }),
      /maxCachedWorkflows .*46 % of resources\.limits\.memory \(1Gi\); set at most 471/,
    ],
    [
      "more queues than memory for their threads",
      worker({ taskQueues: ["a", "b", "c", "d", "e", "f", "g", "h", "i"] }),
      /resources\.limits\.memory .*1Gi is too little for 9 workflow threads.*raise it to 1372Mi or more, or spread/,
    ],
    ["a queue twice", worker({ taskQueues: ["a", "b", "a"] }), /taskQueues\[2\] .*twice/],
    [
      "a queue whose name would be two in the pod's environment",
      worker({ taskQueues: ["a,b"] }),
      /taskQueues\[0\] .*without commas/,
    ],
    ["no queue", worker({ taskQueues: [] }), /taskQueues .*at least one task queue name/],
    [
      "slots that are too few for the queues",
      worker({ taskQueues: ["a", "b", "c"], workflowTaskSlots: 5 }),
      /workflowTaskSlots .*5 cannot be divided between 3 task queues.*at least 6/,
    ],
    [
      "a number of pollers that is none",
      worker({ workflowTaskPollers: 1 }),
      /workflowTaskPollers .*must be an integer from 2 to 1000 \(polls, or "auto"\), got 1/,
    ],
    [
      "a name twice",
      {
        ...LEAST,
        workers: [
          { name: "a", taskQueues: ["a"] },
          { name: "a", taskQueues: ["b"] },
        ],
      },
      /workers\[1\]\.name .*name of workers\[0\] already/,
    ],
    ["a name that is no DNS label", worker({ name: "Orders" }), /workers\[0\]\.name .*got "Orders"/],
    [
      "a name that is too long",
      worker({ name: "a".repeat(31) }),
      /workers\[0\]\.name .*at most 30 characters/,
    ],
    [
      "a variable that the program sets",
      worker({ env: { LOG_LEVEL: "debug" } }),
      /env\.LOG_LEVEL .*set by this program/,
    ],
    [
      "a secret in a variable",
      worker({ env: { DB_PASSWORD: "hunter2" } }),
      /env\.DB_PASSWORD .*looks like a secret/,
    ],
    [
      "an unknown mode",
      { ...LEAST, temporal: { mode: "cluster" } },
      /temporal\.mode .*one of "devServer", "chart", "external", got "cluster"/,
    ],
    [
      "an external server without a way",
      { ...LEAST, temporal: { mode: "external", address: "a:1", namespace: "n", network: {} } },
      /temporal\.network .*exactly one of namespace and cidrs/,
    ],
    [
      "two sources of one certificate",
      external({ tls: { ca: CERTIFICATE, secret: { name: "tls", caKey: "ca.crt" } } }),
      /temporal\.tls\.ca .*cannot be set together with tls\.secret/,
    ],
    [
      "a certificate in a Secret without its key",
      external({ tls: { secret: { name: "tls", certificateKey: "tls.crt" } } }),
      /temporal\.tls\.secret .*set both keys or neither/,
    ],
    [
      "a Secret of which nothing is taken",
      external({ tls: { secret: { name: "tls" } } }),
      /temporal\.tls\.secret .*set caKey, or certificateKey and privateKeyKey/,
    ],
    [
      "a certificate that is a path",
      external({ tls: { ca: "/etc/ssl/ca.pem" } }),
      /temporal\.tls\.ca .*must be certificates of authorities in PEM format/,
    ],
    [
      "an API key in the clear",
      external({ apiKey: "hunter2" }),
      /temporal\.apiKey .*must be a secret, got plain text, which is not shown; set it with `pulumi config set --stack dev --secret --path 'temporal-stack:temporal\.apiKey'`/,
    ],
    [
      "a private key in the clear",
      external({ tls: { client: { certificate: CERTIFICATE, privateKey: "hunter2" } } }),
      /temporal\.tls\.client\.privateKey .*must be a secret/,
    ],
    [
      "an API key as value and by name",
      external({ apiKey: "hunter2", apiKeySecret: { name: "key", key: "key" } }),
      /temporal\.apiKeySecret .*cannot be set together/,
    ],
    [
      "a port out of range",
      {
        ...LEAST,
        temporal: { mode: "external", address: "a:70000", namespace: "n", network: { namespace: "t" } },
      },
      /temporal\.address .*must be the frontend's address as host:port/,
    ],
    [
      "doors to someone else's server",
      {
        ...LEAST,
        temporal: { mode: "external", address: "a:1", namespace: "n", network: { namespace: "t" } },
        networkAccess: { uiFrom: [{ namespace: "x" }] },
      },
      /networkAccess\.uiFrom .*does not run/,
    ],
    [
      "a receiver of traces without a scheme",
      { ...LEAST, tracing: { endpoint: "collector:4318", network: { namespace: "observability" } } },
      /tracing\.endpoint .*a URL of an OTLP\/HTTP receiver/,
    ],
    [
      "a receiver of traces without a way",
      { ...LEAST, tracing: { endpoint: "http://collector:4318", network: {} } },
      /tracing\.network .*the way to the receiver; set exactly one of namespace and cidrs/,
    ],
    [
      "a share above one",
      {
        ...LEAST,
        tracing: { endpoint: "http://c:4318", sampleRatio: 10, network: { namespace: "observability" } },
      },
      /tracing\.sampleRatio .*a number from 0 to 1/,
    ],
    [
      "headers of traces in the clear, in the file and on the way",
      {
        ...LEAST,
        tracing: {
          endpoint: "http://collector.example.com",
          headers: "authorization=Basic%20aHVudGVyMg",
          network: { cidrs: ["192.0.2.0/24"] },
        },
      },
      /^(?![^]*aHVudGVyMg)[^]*tracing\.headers .*must be a secret[^]*tracing\.headers .*use an https endpoint/,
    ],
    [
      "an active key that does not exist",
      { ...LEAST, payloadEncryption: { activeKey: "key-2" } },
      /payloadEncryption\.activeKey .*"key-2" is not among/,
    ],
    [
      "a key twice",
      { ...LEAST, payloadEncryption: { keys: ["key-1", "key-1"] } },
      /payloadEncryption\.keys\[1\] .*twice/,
    ],
    [
      "an active key that is retired",
      { ...LEAST, payloadEncryption: { keys: ["key-2"], retiredKeys: ["key-1"] } },
      /payloadEncryption\.activeKey .*"key-1" is not among payloadEncryption\.keys \(key-2\)/,
    ],
    [
      "a key both in use and retired",
      { ...LEAST, payloadEncryption: { retiredKeys: ["key-1"] } },
      /payloadEncryption\.retiredKeys\[0\] .*"key-1" is among payloadEncryption\.keys, too/,
    ],
    [
      "a codec server without encryption",
      codecServer({}, { enabled: false }),
      /payloadEncryption\.codecServer .*nothing to decode/,
    ],
    [
      "a codec server for pages of nobody",
      { ...LEAST, payloadEncryption: { codecServer: {} } },
      /codecServer\.uiOrigin .*is missing; must be/,
    ],
    [
      "a page instead of an origin",
      codecServer({ uiOrigin: "https://temporal.example.com/" }),
      /codecServer\.uiOrigin .*without path or slash/,
    ],
    [
      "a codec server for everybody",
      codecServer({ auth: { mode: "none" } }),
      /codecServer\.auth\.mode .*one of "token", "jwt"/,
    ],
    [
      "keys of an identity provider over plain HTTP",
      codecServer({ auth: { ...jwt, jwksUrl: "http://login.example.com/jwks" } }),
      /codecServer\.auth\.jwksUrl .*https/,
    ],
    [
      "an identity provider without a way",
      codecServer({ auth: { ...jwt, network: {} } }),
      /codecServer\.auth\.network .*exactly one of namespace and cidrs/,
    ],
    [
      "an address to which the UI passes no access token",
      codecServer({ auth: jwt, publicUrl: "http://codec.example.com" }),
      /codecServer\.publicUrl .*https:\/\/ only/,
    ],
    [
      "an identity provider of which everybody may read payloads, without a word",
      codecServer({ auth: { ...jwt, requiredClaims: undefined } }),
      /codecServer\.auth\.requiredClaims .*a mapping of claims to lists of values/,
    ],
    [
      "a claim that no value satisfies",
      codecServer({ auth: { ...jwt, requiredClaims: { groups: [] } } }),
      /codecServer\.auth\.requiredClaims\.groups .*at least one value/,
    ],
    [
      "a token in the clear",
      codecServer({ publicUrl: "http://codec.example.com" }),
      /codecServer\.publicUrl .*the token in the clear; use https:\/\//,
    ],
    [
      "a token in the clear to a host whose name begins like this machine's",
      codecServer({ publicUrl: "http://localhost.example.com" }),
      /codecServer\.publicUrl .*the token in the clear/,
    ],
    [
      "encryption that is required and switched off",
      { ...LEAST, payloadEncryption: { enabled: false, requireEncrypted: true } },
      /payloadEncryption\.requireEncrypted .*enabled is false/,
    ],
    [
      "a door to no codec server",
      { ...LEAST, networkAccess: { codecFrom: [{ namespace: "ingress" }] } },
      /networkAccess\.codecFrom .*not there/,
    ],
    [
      "one namespace for both",
      { ...LEAST, namespaces: { workers: "temporal" } },
      /namespaces\.workers .*must differ/,
    ],
    [
      "a namespace of Kubernetes",
      { ...LEAST, namespaces: { workers: "kube-system" } },
      /namespaces\.workers .*belongs to Kubernetes/,
    ],
    [
      "an image without tag",
      { ...LEAST, temporal: { mode: "devServer", image: "temporalio/temporal" } },
      /temporal\.image .*with a tag other than latest/,
    ],
    [
      "an image by latest",
      { ...LEAST, temporal: { mode: "devServer", image: "temporalio/temporal:latest" } },
      /temporal\.image .*with a tag other than latest/,
    ],
    [
      "a repository with tag",
      { ...LEAST, workerImage: { repository: "a/b:1" } },
      /workerImage\.repository .*without tag or digest/,
    ],
    [
      "two ways to pull the image",
      {
        ...LEAST,
        workerImage: { repository: "a/b", pullSecret: { existing: "pull", username: "puller" } },
      },
      /workerImage\.pullSecret .*set either `existing`, or both `username` and `password`/,
    ],
    [
      "half a login",
      { ...LEAST, workerImage: { repository: "a/b", pullSecret: { username: "puller" } } },
      /workerImage\.pullSecret .*both `username` and `password`/,
    ],
    [
      "a label of the program",
      { ...LEAST, labels: { "app.kubernetes.io/name": "x" } },
      /labels\["app\.kubernetes\.io\/name"\] .*is reserved/,
    ],
    [
      "a label that Kubernetes refuses",
      { ...LEAST, labels: { "a b": "x" } },
      /labels\["a b"\] .*the key must be a label key/,
    ],
    [
      "a word for a truth value",
      { ...LEAST, deletionProtection: "yes" },
      /deletionProtection .*must be true or false, got "yes"/,
    ],
  ];
  for (const [title, sections, pattern] of cases) {
    it(`refuse ${title}`, () => assert.match(refusal(sections), pattern));
  }

  it("report all problems at once", () => {
    const message = refusal({
      temporal: { mode: "devServer", storage: { size: 1 } },
      workers: [{ name: "Orders", replicas: { min: 4, max: 2 } }],
      colour: "red",
    });
    assert.match(message, /^6 problems in the settings of stack "dev":/);
    for (const key of [
      "storage.size",
      "workers[0].name",
      "workers[0].taskQueues",
      "workers[0].replicas.max",
      "workerImage",
      "colour",
    ]) {
      assert.ok(message.includes(`temporal-stack:${key}`) || message.includes(`.${key} `), key);
    }
  });

  it("never show what is or should be secret", () => {
    const registry = { username: "pusher", password: "hunter2", hunter2: 1 };
    const sections = { ...LEAST, workerImage: { repository: "UPPER", registry, platform: "hunter2" } };
    const plain = refusal({
      ...LEAST,
      workerImage: { repository: "a/b", registry: { username: "u", password: "hunter2" } },
    });
    assert.match(
      plain,
      /workerImage\.registry\.password .*must be a secret, got plain text, which is not shown/,
    );
    assert.ok(!plain.includes("hunter2"));
    assert.match(
      refusal({
        ...LEAST,
        workerImage: { repository: "a/b", pullSecret: { username: "u", password: "hunter2" } },
      }),
      /workerImage\.pullSecret\.password .*must be a secret, got plain text, which is not shown/,
    );
    const secret = refusal(sections, { secretKeys: ["temporal-stack:workerImage"] });
    assert.match(secret, /workerImage\.repository .*got a secret, which is not shown/);
    assert.ok(!secret.includes("UPPER") && !secret.includes('"hunter2"'));
  });

  it("keep a password from being printed", () => {
    const sections = {
      ...LEAST,
      workerImage: { repository: "a/b", registry: { username: "u", password: "hunter2" } },
    };
    const settings = parseSettings(source(sections, { secretKeys: ["temporal-stack:workerImage"] }));
    assert.ok(!JSON.stringify(settings).includes("hunter2"));
    assert.equal(String(settings.workerImage.registry?.password), "[secret]");
  });
});
