import assert from "node:assert/strict";
import { evaluate } from "../../policy/evaluate";
import { type Subject, subjectOfConfiguration, subjectOfResource } from "../../policy/subject";
import { workloadsOf } from "../../policy/workloads";
import { emulatedState } from "../emulation";
import { type Deployment, isValues } from "../harness";
import { podsOf } from "./pods";
import { deployStack, mappingAt, stackConfig, type StackName, STACKS } from "./stack";

/** The day does not matter as long as no exception has ended. */
const TODAY = "2026-11-26";

/** What the whole program registers, with the names that the provider gives. */
function subjectsOf(stack: StackName, { registrations }: Deployment): Subject[] {
  return [
    subjectOfConfiguration(stackConfig(stack)),
    ...registrations.map(({ name, type, inputs, protect }) => {
      const isObject = type.startsWith("kubernetes:") && isValues(inputs["metadata"]);
      const metadata = isObject ? { metadata: emulatedState(type, name, inputs)["metadata"] } : {};
      return subjectOfResource({
        name,
        urn: `urn:${name}`,
        type,
        inputs: { ...inputs, ...metadata },
        protect,
      });
    }),
  ];
}

/** What the stack file excepts, each with the reason that it has. */
const EXCEPTED: Readonly<Record<StackName, readonly string[]>> = {
  local: [],
  dev: [],
  prod: ["image-digest temporal-release/web", "postgres-backup postgres-cluster"],
};

for (const stack of STACKS) {
  describe(`policies on stack ${stack}`, () => {
    let deployment: Deployment;
    let subjects: Subject[];
    before(async () => {
      deployment = await deployStack(stack);
      subjects = subjectsOf(stack, deployment);
    });

    it("are kept by the whole program, but for the exceptions in the stack file", () => {
      const exceptions = stackConfig(stack)["temporal-stack:policyExceptions"];
      const { findings, excepted } = evaluate(subjects, { stack, today: TODAY, exceptions });
      assert.deepEqual(findings, []);
      const found = excepted.map(({ policy, resource }) => `${policy} ${resource}`);
      assert.deepEqual([...new Set(found)].sort(), EXCEPTED[stack]);
    });

    it("are kept in production's strictness by all that a single machine can have", () => {
      const { findings } = evaluate(subjects, { stack: "prod", today: TODAY });
      const found = new Set(findings.map(({ policy }) => policy));
      const ofProduction = [
        "image-digest",
        "redundancy",
        "protected-data",
        "owner-label",
        "postgres-backup",
        "postgres-synchronous",
      ];
      assert.deepEqual(
        [...found].filter((policy) => !ofProduction.includes(policy)),
        [],
      );
    });

    it("judge every pod that the stack runs, those of charts and operators included", () => {
      const judged = subjects.flatMap(workloadsOf).map(({ subject, part }) => part ?? subject.name);
      const names = podsOf(deployment)
        // Jobs of the operator are made of the Cluster's instances; `database` is the chart's schema job.
        .filter(({ name }) => name !== "initdb")
        .map(({ name }) => name);
      const aliases: Readonly<Record<string, string>> = {
        operator: "postgres-operator-release",
        instance: "postgres-cluster",
        database: "schema",
      };
      assert.deepEqual(judged.sort(), names.map((name) => aliases[name] ?? name).sort());
    });
  });
}

describe("policies and what the program may become", () => {
  it("find what a setting breaks", async () => {
    const temporal = mappingAt(stackConfig("prod"), "temporal-stack:temporal");
    const deployment = await deployStack("prod", {
      changes: {
        "temporal-stack:deletionProtection": "false",
        "temporal-stack:temporal": {
          ...temporal,
          ui: { replicas: 1 },
          images: { server: "temporalio/server:1.31.2" },
          namespaces: [{ name: "prod", retentionDays: 1 }],
        },
      },
    });
    const exceptions = stackConfig("prod")["temporal-stack:policyExceptions"];
    const { findings } = evaluate(subjectsOf("prod", deployment), {
      stack: "prod",
      today: TODAY,
      exceptions,
    });
    const found = new Set(findings.map(({ policy, resource }) => `${policy} ${resource}`));
    for (const expected of [
      "image-digest temporal-release/history",
      "redundancy temporal-release/web",
      "retention temporal-namespaces-job",
      "protected-data postgres-cluster",
      "protected-data namespace-temporal",
    ]) {
      assert.ok(found.has(expected), `${expected} of ${[...found].join(", ")}`);
    }
  });

  it("pass what settings may add: codec server, tracing, a managed Postgres", async () => {
    const changes = {
      "temporal-stack:postgres": {
        mode: "managed",
        host: "postgres.example.com",
        user: "temporal",
        password: "hunter2",
        maxConnections: 1000,
        cidrs: ["192.0.2.0/24"],
      },
      "temporal-stack:payloadEncryption": {
        codecServer: { uiOrigin: "https://ui.example.com", publicUrl: "https://codec.example.com" },
      },
      "temporal-stack:tracing": {
        endpoint: "http://collector.observability.svc:4318",
        network: { namespace: "observability", podLabels: { app: "collector" } },
      },
    };
    const deployment = await deployStack("prod", { changes });
    const exceptions = stackConfig("prod")["temporal-stack:policyExceptions"];
    const { findings } = evaluate(subjectsOf("prod", deployment), {
      stack: "prod",
      today: TODAY,
      exceptions,
    });
    assert.deepEqual(findings, []);
  });
});
