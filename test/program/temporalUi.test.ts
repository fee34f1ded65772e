import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { chartRefusal } from "../components/samples";
import type { Values } from "../harness";
import { valuesProblems } from "../local/charts/values";
import { at, deployStack, listAt, mappingAt, objectsOf, stackConfig } from "./stack";

const login = {
  providerUrl: "https://login.example.com/realms/team",
  clientId: "temporal-ui",
  clientSecret: "hunter2",
  callbackUrl: "https://temporal.example.com/auth/sso/callback",
  network: { cidrs: ["192.0.2.0/24"] },
};
const codecServer = (auth: Values) => ({
  codecServer: {
    uiOrigin: "https://temporal.example.com",
    publicUrl: "https://codec.example.com",
    auth,
  },
});
const jwt = {
  mode: "jwt",
  issuer: "https://login.example.com/",
  audience: "temporal-codec",
  jwksUrl: "https://login.example.com/jwks",
  requiredClaims: { groups: ["temporal-admins"] },
  network: { namespace: "login" },
};

async function deployed(ui: Values, payloadEncryption: Values = {}) {
  const temporal = mappingAt(stackConfig("prod"), "temporal-stack:temporal");
  const deployment = await deployStack("prod", {
    changes: {
      "temporal-stack:temporal": { ...temporal, ui },
      "temporal-stack:payloadEncryption": payloadEncryption,
    },
  });
  const release = deployment.registrations.find(({ name }) => name === "temporal-release");
  assert.ok(release);
  assert.deepEqual(valuesProblems("temporal", release.inputs["values"]), []);
  const web = at(release.inputs, "values", "web");
  const environment = Object.fromEntries(
    listAt(web, "additionalEnv").map((entry) => [
      String(at(entry, "name")),
      at(entry, "value") ?? at(entry, "valueFrom"),
    ]),
  );
  return { deployment, release, web, environment };
}

describe("the UI of the official chart", () => {
  it("is told where the codec server is, and to pass the login's token on", async () => {
    const { environment } = await deployed({}, codecServer(jwt));
    assert.deepEqual(environment, {
      TEMPORAL_CODEC_ENDPOINT: "https://codec.example.com",
      TEMPORAL_CODEC_PASS_ACCESS_TOKEN: "true",
    });
  });

  it("has the browser send what it knows where a token opens the codec server", async () => {
    const { environment } = await deployed({}, codecServer({ mode: "token" }));
    assert.deepEqual(environment, {
      TEMPORAL_CODEC_ENDPOINT: "https://codec.example.com",
      TEMPORAL_CODEC_INCLUDE_CREDENTIALS: "true",
    });
  });

  it("asks for a login, whose secret is named and never in the values", async () => {
    const { environment, release, deployment } = await deployed({ login });
    assert.deepEqual(environment, {
      TEMPORAL_AUTH_ENABLED: "true",
      TEMPORAL_AUTH_PROVIDER_URL: "https://login.example.com/realms/team",
      TEMPORAL_AUTH_CLIENT_ID: "temporal-ui",
      TEMPORAL_AUTH_CALLBACK_URL: "https://temporal.example.com/auth/sso/callback",
      TEMPORAL_AUTH_SCOPES: "openid,profile,email",
      TEMPORAL_AUTH_CLIENT_SECRET: {
        secretKeyRef: { name: "temporal-ui-login-1a2b3c4d", key: "client-secret" },
      },
    });
    assert.ok(!JSON.stringify(release.inputs).includes("hunter2"));
    const secret = deployment.registrations.find(({ name }) => name === "temporal-ui-login");
    assert.deepEqual(secret?.secretPaths, ["stringData"]);
    assert.deepEqual(secret.inputs["stringData"], { "client-secret": "hunter2" });
  });

  it("takes the login's secret from a Secret that exists, and its own host for the way back", async () => {
    const temporal = mappingAt(stackConfig("prod"), "temporal-stack:temporal");
    const deployment = await deployStack("prod", {
      changes: {
        "temporal-stack:temporal": {
          ...temporal,
          ui: {
            ingress: { host: "ui.example.com", tlsSecret: "ui-tls" },
            login: {
              ...login,
              clientSecret: undefined,
              callbackUrl: undefined,
              issuerUrl: "https://login.example.com",
              clientSecretFrom: { name: "oidc", key: "secret" },
            },
          },
        },
        "temporal-stack:networkAccess": { uiFrom: [{ namespace: "ingress" }] },
      },
    });
    assert.ok(!deployment.registrations.some(({ name }) => name === "temporal-ui-login"));
    const release = deployment.registrations.find(({ name }) => name === "temporal-release");
    const environment = listAt(release?.inputs, "values", "web", "additionalEnv");
    const isLike = (expected: unknown) => (entry: unknown) => isDeepStrictEqual(entry, expected);
    for (const expected of [
      { name: "TEMPORAL_AUTH_CALLBACK_URL", value: "https://ui.example.com/auth/sso/callback" },
      { name: "TEMPORAL_AUTH_ISSUER_URL", value: "https://login.example.com" },
      { name: "TEMPORAL_AUTH_CLIENT_SECRET", valueFrom: { secretKeyRef: { name: "oidc", key: "secret" } } },
    ])
      assert.ok(environment.some(isLike(expected)), expected.name);
  });

  it("reaches the identity provider, and only where there is a login", async () => {
    const policies = async (ui: Values) =>
      objectsOf((await deployed(ui)).deployment, "NetworkPolicy").filter(({ registration }) =>
        registration.name.includes("ui-login"),
      );
    const [policy, ...others] = await policies({ login });
    assert.deepEqual(others, []);
    assert.deepEqual(at(policy?.inputs, "spec", "egress", 0, "to"), [{ ipBlock: { cidr: "192.0.2.0/24" } }]);
    assert.deepEqual(at(policy?.inputs, "spec", "egress", 0, "ports"), [{ port: 443, protocol: "TCP" }]);
    assert.deepEqual(await policies({}), []);
  });

  it("takes further variables, by name from a Secret, too", async () => {
    const env = { TEMPORAL_BANNER_TEXT: "production" };
    const { web, environment } = await deployed({ env, envSecret: "temporal-ui" });
    assert.deepEqual(environment, env);
    assert.equal(at(web, "additionalEnvSecretName"), "temporal-ui");
  });

  it("refuses what would be open to everybody, undone or nowhere", () => {
    for (const [ui, pattern] of [
      [
        { env: { TEMPORAL_AUTH_CLIENT_SECRET: "x" } },
        /ui\.env\.TEMPORAL_AUTH_CLIENT_SECRET .*use ui\.envSecret/,
      ],
      [{ env: { TEMPORAL_ADDRESS: "x:1" } }, /TEMPORAL_ADDRESS .*from other settings/],
      [{ login, env: { TEMPORAL_AUTH_ENABLED: "false" } }, /TEMPORAL_AUTH_ENABLED .*from ui\.login/],
      [{ login: { ...login, clientSecretFrom: { name: "a", key: "b" } } }, /exactly one of clientSecret/],
      [{ login: { ...login, callbackUrl: undefined } }, /ui\.login\.callbackUrl .*no ui\.ingress/],
      [{ login: { ...login, providerUrl: "http://login.example.com" } }, /providerUrl .*begins with https/],
    ] as const)
      assert.match(chartRefusal({ ui }), pattern);
  });

  it("may be told of a codec server that others run, and of no two", async () => {
    const env = { TEMPORAL_CODEC_ENDPOINT: "https://codec.example.com" };
    assert.deepEqual((await deployed({ env })).environment, env);
    await assert.rejects(
      deployed({ env }, codecServer({ mode: "token" })),
      /ui\.env\.TEMPORAL_CODEC_ENDPOINT .*from payloadEncryption\.codecServer/,
    );
  });

  it("has roles that say when they are ready: the chart does not for the worker", async () => {
    const { release } = await deployed({});
    assert.deepEqual(at(release.inputs, "values", "server", "worker", "readinessProbe"), {
      tcpSocket: { port: "membership" },
    });
  });
});

describe("the operator's pods", () => {
  it("are spread, and one at a time may be evicted", async () => {
    const { registrations } = await deployStack("prod");
    const release = registrations.find(({ inputs }) => inputs["chart"] === "cloudnative-pg");
    const labels = {
      "app.kubernetes.io/name": "cloudnative-pg",
      "app.kubernetes.io/instance": "cnpg",
    };
    assert.deepEqual(
      listAt(release?.inputs, "values", "topologySpreadConstraints").map((constraint) => [
        at(constraint, "topologyKey"),
        at(constraint, "labelSelector", "matchLabels"),
      ]),
      [
        ["kubernetes.io/hostname", labels],
        ["topology.kubernetes.io/zone", labels],
      ],
    );
    const budget = registrations.find(({ name }) => name === "postgres-operator-disruption-budget");
    assert.ok(budget);
    assert.deepEqual(budget.inputs["spec"], { maxUnavailable: 1, selector: { matchLabels: labels } });
    assert.equal(at(budget.inputs, "metadata", "namespace"), "cnpg-system");
  });
});
