import assert from "node:assert/strict";
import type { Rule } from "../../components/manifests/accounts";
import {
  deployerClusterRules,
  deployerNamespaceRules,
  deployerObjects,
} from "../../components/manifests/deployer";
import { ownNamespaces } from "../../components/manifests/flows";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { at, deployStack, objectsOf, STACKS, type StackName } from "./stack";
import { STACK_FILES } from "../support/stackFiles";

function settingsOf(stack: StackName) {
  const source = sourceOfStackFile(STACK_FILES, stack);
  assert.ok(source);
  return parseSettings(source);
}

const allows = (rules: readonly Rule[], group: string, resource: string, verb: string, name?: string) =>
  rules.some(
    ({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.includes(group) &&
      resources.includes(resource) &&
      verbs.includes(verb) &&
      (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
  );

const pluralOf = (kind: string): string => kind.toLowerCase().replace(/y$/, "ie") + "s";

describe("rights of a deployer", () => {
  for (const stack of STACKS) {
    it(`are enough for every object that stack ${stack} makes itself`, async () => {
      const settings = settingsOf(stack);
      const objects = objectsOf(await deployStack(stack));
      assert.ok(objects.length > 10);
      for (const { kind, apiVersion, inputs, registration } of objects) {
        const namespace = at(inputs, "metadata", "namespace");
        const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
        const [rules, verbs] =
          kind === "Namespace"
            ? [deployerClusterRules(settings), ["get", "patch"]]
            : [deployerNamespaceRules(settings, String(namespace)), ["get", "create", "patch", "delete"]];
        for (const verb of verbs) {
          assert.ok(
            allows(rules, group, pluralOf(kind), verb, String(at(inputs, "metadata", "name"))),
            `${registration.name}: ${verb} ${pluralOf(kind)}.${group}`,
          );
        }
      }
    });

    it(`name each group, resource and verb in stack ${stack}`, () => {
      const settings = settingsOf(stack);
      const rules = [
        ...deployerClusterRules(settings),
        ...ownNamespaces(settings).flatMap((namespace) => deployerNamespaceRules(settings, namespace)),
      ];
      for (const { apiGroups, resources, verbs } of rules) {
        assert.ok(![...apiGroups, ...resources, ...verbs].includes("*"), JSON.stringify(resources));
      }
    });
  }

  it("reach policies of Cilium where the settings ask for them, and nowhere else", () => {
    const settings = settingsOf("prod");
    const cilium = { ...settings, networkAccess: { ...settings.networkAccess, cilium: true } };
    for (const namespace of ownNamespaces(settings)) {
      for (const verb of ["get", "list", "watch", "create", "patch", "update", "delete"]) {
        const may = (rules: readonly Rule[]) => allows(rules, "cilium.io", "ciliumnetworkpolicies", verb);
        assert.ok(may(deployerNamespaceRules(cilium, namespace)), `${verb} in ${namespace}`);
        assert.ok(!may(deployerNamespaceRules(settings, namespace)), `${verb} in ${namespace}`);
      }
    }
  });

  it("do not reach Secrets or roles outside the stack's namespaces, unless it installs the operator", () => {
    const { postgres, ...settings } = settingsOf("prod");
    assert.ok(postgres?.mode === "cluster");
    const without = { ...postgres, operator: { ...postgres.operator, install: false } };
    const rules = deployerClusterRules({ ...settings, postgres: without });
    assert.deepEqual(
      rules.map(({ resources, resourceNames }) => ({ resources, resourceNames })),
      [
        { resources: ["namespaces"], resourceNames: ["temporal", "temporal-workers"] },
        { resources: ["namespaces"], resourceNames: ["kube-system"] },
        { resources: ["storageclasses"], resourceNames: undefined },
      ],
    );
  });

  it("see when a namespace that they may delete is gone, for which all are watched", () => {
    const watchers = (stack: StackName) =>
      deployerClusterRules(settingsOf(stack)).filter(
        ({ resources, verbs, resourceNames }) =>
          resources.includes("namespaces") && verbs.includes("watch") && resourceNames === undefined,
      );
    assert.deepEqual(
      watchers("dev").map(({ verbs }) => verbs),
      [["list", "watch"]],
    );
    assert.deepEqual(watchers("prod"), []);
  });

  it("delete no namespace that is protected", () => {
    assert.ok(!allows(deployerClusterRules(settingsOf("prod")), "", "namespaces", "delete", "temporal"));
    assert.ok(allows(deployerClusterRules(settingsOf("dev")), "", "namespaces", "delete", "temporal"));
  });

  it("bind and escalate nothing but the operator's own roles, by name", () => {
    for (const stack of STACKS) {
      for (const { verbs, resources, resourceNames } of deployerClusterRules(settingsOf(stack))) {
        if (!verbs.includes("bind") && !verbs.includes("escalate")) continue;
        assert.deepEqual(resources, ["clusterroles"]);
        assert.ok(resourceNames);
        for (const name of resourceNames) assert.match(name, /^(cnpg-cloudnative-pg(-view|-edit)?)?$/);
      }
    }
  });

  it("are limited by admission policies, each of them bound, and for the one who is named", () => {
    const subjects = {
      'request.userInfo.username == "ada"': { kind: "User", name: "ada" },
      '"deployers" in request.userInfo.groups': { kind: "Group", name: "deployers" },
      'request.userInfo.username == "system:serviceaccount:ci:deployer"': {
        kind: "ServiceAccount",
        namespace: "ci",
        name: "deployer",
      },
    } as const;
    for (const [expression, subject] of Object.entries(subjects)) {
      for (const [stack, limits] of [
        ["prod", ["namespaces", "roles", "bindings", "resource-types", "webhooks"]],
        ["local", ["namespaces"]],
      ] as const) {
        const objects: object[] = deployerObjects(settingsOf(stack), subject);
        const named = (kind: string) => objects.filter((object) => at(object, "kind") === kind);
        const policies = named("ValidatingAdmissionPolicy");
        assert.deepEqual(
          policies.map((policy) => at(policy, "metadata", "name")),
          limits.map((limit) => `temporal-stack-deployer-${stack}-${limit}`),
        );
        assert.deepEqual(
          named("ValidatingAdmissionPolicyBinding").map((binding) => at(binding, "spec", "policyName")),
          policies.map((policy) => at(policy, "metadata", "name")),
        );
        for (const policy of policies)
          assert.equal(at(policy, "spec", "matchConditions", "0", "expression"), expression);
      }
    }
  });

  it("come with the stack's namespaces, and for the one who is named", () => {
    const subject = { kind: "ServiceAccount", namespace: "ci", name: "deployer" } as const;
    const objects = deployerObjects(settingsOf("prod"), subject);
    const named = (kind: string) => objects.filter((object) => object.kind === kind);
    assert.deepEqual(
      named("Namespace").map(({ metadata }) => [metadata.name, at(metadata.labels, "temporal-stack/stack")]),
      [
        ["temporal", "prod"],
        ["cnpg-system", "prod"],
        ["temporal-workers", "prod"],
      ],
    );
    const bindings = [...named("ClusterRoleBinding"), ...named("RoleBinding")];
    assert.equal(bindings.length, 4);
    for (const binding of bindings) assert.deepEqual(at(binding, "subjects"), [subject]);
  });
});
