import assert from "node:assert/strict";
import { withChartValues } from "../../settings/chartValues";
import { mirroredImage } from "../../settings/imageMirror";
import { parseSettings } from "../../settings/settings";
import { chartRefusal, chartSections, chartSettings } from "../components/samples";
import { LEAST, refusal, source } from "../components/refusal";
import type { Values } from "../harness";

describe("values of the Temporal chart from the settings", () => {
  it("are taken where no setting and no promise is in the way", () => {
    const further = {
      admintools: { podAnnotations: { "example.com/team": "platform" } },
      server: {
        metrics: { serviceMonitor: { enabled: true, interval: "15s" } },
        config: { metrics: { tags: { cluster: "eu" } } },
        frontend: {
          service: { annotations: { "example.com/a": "b" } },
          deploymentLabels: { team: "platform" },
        },
        additionalEnv: [{ name: "TZ", value: "UTC" }],
      },
    };
    assert.deepEqual(chartSettings({ chartValues: further }).server.chartValues, further);
    const merged = withChartValues({ server: { additionalEnv: [{ name: "A" }], image: "x" } }, further);
    assert.deepEqual(merged["server"], {
      image: "x",
      ...further.server,
      additionalEnv: [{ name: "A" }, { name: "TZ", value: "UTC" }],
    });
  });

  const refused: readonly [title: string, values: Values, pattern: RegExp][] = [
    [
      "shards",
      { server: { config: { persistence: { numHistoryShards: 1 } } } },
      /server\.config\.persistence .*historyShards/,
    ],
    [
      "a role's pods",
      { server: { history: { replicaCount: 1 } } },
      /server\.history\.replicaCount .*temporal\.roles/,
    ],
    [
      "the pods' user",
      { web: { securityContext: { runAsUser: 0 } } },
      /web\.securityContext .*Pod Security restricted/,
    ],
    [
      "a container's",
      { server: { worker: { containerSecurityContext: {} } } },
      /server\.worker\.containerSecurityContext/,
    ],
    [
      "a load balancer",
      { server: { frontend: { service: { type: "LoadBalancer" } } } },
      /service\.type .*frontendFrom/,
    ],
    ["a port", { server: { frontend: { service: { port: 7234 } } } }, /service\.port .*NetworkPolicies/],
    ["other names", { fullnameOverride: "t" }, /fullnameOverride .*by its name/],
    ["a token", { serviceAccount: { create: true } }, /chartValues\.serviceAccount .*token/],
    ["any object", { extraObjects: [] }, /extraObjects .*no policy sees/],
    ["a schema that stays behind", { schema: { useHelmHooks: false } }, /useHelmHooks .*schema/],
    [
      "what rolls the pods",
      { server: { podAnnotations: { "temporal-stack/password-checksum": "" } } },
      /password-checksum/,
    ],
    [
      "labels that policies select by",
      { server: { podLabels: { "app.kubernetes.io/name": "x" } } },
      /podLabels.*is reserved/,
    ],
    [
      "nothing in place of everything",
      { server: { config: null } },
      /server\.config .*null, which would delete/,
    ],
    [
      "a text in place of a mapping",
      { server: { config: "x" } },
      /server\.config .*must be a mapping: .*take away/,
    ],
    [
      "a secret",
      { server: { archival: { apiToken: "hunter2" } } },
      /server\.archival\.apiToken .*Helm keeps values in plain text/,
    ],
    [
      "a secret variable",
      { server: { additionalEnv: [{ name: "API_TOKEN", value: "hunter2" }] } },
      /additionalEnv\[0\]\.value .*Secret/,
    ],
    [
      "a folder of the node",
      { server: { additionalVolumes: [{ name: "v", hostPath: { path: "/" } }] } },
      /additionalVolumes\[0\]\.hostPath .*Pod Security/,
    ],
    [
      "a privileged container",
      {
        server: {
          additionalInitContainers: [{ name: "a", image: "a", securityContext: { privileged: true } }],
        },
      },
      /additionalInitContainers\[0\]\.securityContext\.privileged/,
    ],
  ];
  for (const [title, values, pattern] of refused) {
    it(`are refused for ${title}`, () => {
      const message = chartRefusal({ chartValues: values });
      assert.match(message, pattern);
      assert.match(message, /temporal-stack:temporal\.chartValues/);
      assert.ok(!message.includes("hunter2"));
    });
  }
});

describe("fields of the Postgres Cluster from the settings", () => {
  it("are taken where no setting and no promise is in the way", () => {
    const further = {
      logLevel: "debug",
      plugins: [
        {
          name: "barman-cloud.cloudnative-pg.io",
          isWALArchiver: true,
          parameters: { barmanObjectName: "s" },
        },
      ],
      serviceAccountTemplate: { metadata: { annotations: { "eks.amazonaws.com/role-arn": "r" } } },
      monitoring: { disableDefaultQueries: true },
    };
    assert.deepEqual(chartSettings({}, { clusterSpec: further }).cluster.clusterSpec, further);
  });

  const refused: readonly [title: string, spec: Values, pattern: RegExp][] = [
    ["fewer instances", { instances: 1 }, /clusterSpec\.instances .*postgres\.instances/],
    [
      "open logins",
      { postgresql: { pg_hba: ["host all all all trust"] } },
      /postgresql\.pg_hba .*without TLS/,
    ],
    ["commits that a failover loses", { minSyncReplicas: 0 }, /minSyncReplicas .*synchronousReplicas/],
    [
      "another database",
      { bootstrap: { recovery: { source: "x" } } },
      /clusterSpec\.bootstrap .*once and for all/,
    ],
    ["a superuser", { enableSuperuserAccess: true }, /enableSuperuserAccess .*superuser/],
    ["a load balancer", { managed: { services: { additional: [] } } }, /managed\.services .*outside/],
    [
      "an unknown field",
      { logLevels: "debug" },
      /clusterSpec\.logLevels .*no field of Kubernetes here; known: .*logLevel/,
    ],
    ["a field of another type", { failoverDelay: "1s" }, /failoverDelay .*must be an integer, got a string/],
    [
      "a secret",
      { env: [{ name: "AWS_SECRET_ACCESS_KEY", value: "hunter2" }] },
      /env\[0\]\.value .*secretKeyRef/,
    ],
    [
      "labels that policies select by",
      { inheritedMetadata: { labels: { "cnpg.io/cluster": "x" } } },
      /inheritedMetadata\.labels.*is reserved/,
    ],
  ];
  for (const [title, spec, pattern] of refused) {
    it(`are refused for ${title}`, () => {
      const message = chartRefusal({}, { clusterSpec: spec });
      assert.match(message, pattern);
      assert.ok(!message.includes("hunter2"));
    });
  }
});

describe("mirrors of registries", () => {
  const mirrored = (image: string, pull: Values) =>
    mirroredImage(image, parseSettings(source({ ...LEAST, imagePull: pull })).imagePull);

  it("keep registry and path below one mirror, or the path below each registry's own", () => {
    const one = { mirror: "mirror.example.com/all" };
    assert.equal(mirrored("ghcr.io/a/b:1", one), "mirror.example.com/all/ghcr.io/a/b:1");
    assert.equal(
      mirrored("temporalio/server:1", one),
      "mirror.example.com/all/docker.io/temporalio/server:1",
    );
    assert.equal(mirrored("postgres:17", one), "mirror.example.com/all/docker.io/library/postgres:17");
    const each = { mirrors: { "docker.io": "cache.example.com/hub" } };
    assert.equal(
      mirrored("temporalio/server:1@sha256:0", each),
      "cache.example.com/hub/temporalio/server:1@sha256:0",
    );
    assert.equal(mirrored("ghcr.io/a/b:1", each), "ghcr.io/a/b:1");
    assert.equal(mirrored("ghcr.io/a/b:1", { ...one, ...each }), "mirror.example.com/all/ghcr.io/a/b:1");
    assert.equal(mirrored("localhost:5000/a:1", {}), "localhost:5000/a:1");
  });

  it("are registries with a path, without a scheme", () => {
    assert.match(
      refusal({ ...chartSections(), imagePull: { mirror: "https://mirror.example.com" } }),
      /imagePull\.mirror .*must be a registry, with a path perhaps/,
    );
  });
});
