import assert from "node:assert/strict";
import { evaluate, evaluateObjects } from "../../policy/evaluate";
import { plainCopy, UNKNOWN } from "../../policy/values";
import { changed, CLUSTER, declared, DEPLOYMENT, POLICY, RELEASE, release, running } from "./manifests";

const TODAY = "2026-11-26";
const CONTAINER = "spec.template.spec.containers.0";
const latest = declared(changed(DEPLOYMENT, `${CONTAINER}.image`, "worker:latest"));
const policy = declared(POLICY);
const exception = {
  policy: "image-tag",
  resource: "resource",
  reason: "until the registry is moved",
  owner: "platform",
  expires: TODAY,
};

function policiesFound(stack: string, exceptions?: unknown) {
  const { findings, excepted } = evaluate([latest, policy], { stack, today: TODAY, exceptions });
  return {
    findings: findings.map(({ policy: id, level }) => `${id} ${level}`),
    excepted: excepted.map(({ policy: id }) => id),
    problems: findings.filter(({ policy: id }) => id === "policy-exceptions").map(({ problem }) => problem),
  };
}

describe("judging by policies", () => {
  it("refuses in production and where it does not know the stack, and advises elsewhere", () => {
    const refused = ["image-digest mandatory", "image-tag mandatory", "disruption-budget mandatory"];
    for (const stack of ["prod", "staging"]) {
      assert.deepEqual(policiesFound(stack).findings.sort(), refused.sort());
    }
    for (const stack of ["dev", "local"]) {
      assert.deepEqual(policiesFound(stack).findings.sort(), [
        "disruption-budget advisory",
        "image-tag advisory",
      ]);
    }
  });

  it("lets a violation pass that is excepted, and no other", () => {
    const { findings, excepted } = policiesFound("prod", [exception]);
    assert.deepEqual(excepted, ["image-tag"]);
    assert.ok(findings.includes("image-digest mandatory"));
    assert.ok(!findings.includes("image-tag mandatory"));
    const other = policiesFound("prod", [{ ...exception, resource: "other" }]);
    assert.ok(other.findings.includes("image-tag mandatory"));
  });

  it("takes a date without quotes as the CLI hands it over", () => {
    const { excepted } = policiesFound("prod", [{ ...exception, expires: `${TODAY} 00:00:00 +0000 UTC` }]);
    assert.deepEqual(excepted, ["image-tag"]);
  });

  it("excepts a role of a chart without the others", () => {
    const tags = release(
      changed(changed(RELEASE, "values.web.image.tag", "2.52.0"), "values.server.image.tag", "1.31.2"),
    );
    const { findings } = evaluate([tags, policy], {
      stack: "prod",
      today: TODAY,
      exceptions: [{ ...exception, policy: "image-digest", resource: "resource/web" }],
    });
    assert.deepEqual(
      findings.filter(({ policy: id }) => id === "image-digest").map(({ resource }) => resource),
      ["frontend", "history", "matching", "worker"].map((role) => `resource/${role}`),
    );
  });

  const wrong: readonly [what: string, exceptions: unknown, message: RegExp][] = [
    [
      "an expired one",
      [{ ...exception, expires: "2026-11-25" }],
      /\[0\]: .* ended on 2026-11-25; ask platform/,
    ],
    ["an unowned one", [{ ...exception, owner: undefined }], /\[0\]\.owner: must be who answers/],
    ["an owner of blanks", [{ ...exception, owner: "  " }], /\[0\]\.owner/],
    ["one without a reason", [{ ...exception, reason: "" }], /\[0\]\.reason/],
    ["one without an end", [{ ...exception, expires: undefined }], /\[0\]\.expires: must be a date/],
    ["a date that does not exist", [{ ...exception, expires: "2026-02-30" }], /\[0\]\.expires/],
    ["an unknown policy", [{ ...exception, policy: "image-tags" }], /no policy "image-tags"/],
    ["the policy about exceptions", [{ ...exception, policy: "policy-exceptions" }], /no policy/],
    ["an unknown key", [{ ...exception, until: "2027" }], /\[0\]: /],
    ["no list", { ...exception }, /not a list/],
  ];
  for (const [what, exceptions, message] of wrong) {
    it(`refuses ${what} on every stack, and lets nothing pass by it`, () => {
      for (const stack of ["local", "dev", "prod"]) {
        const { findings, excepted, problems } = policiesFound(stack, exceptions);
        assert.deepEqual(excepted, []);
        assert.ok(findings.includes("policy-exceptions mandatory"));
        assert.match(problems.join("\n"), message);
        assert.ok(findings.some((found) => found.startsWith("image-tag")));
      }
    });
  }

  it("reports every wrong exception at once, and keeps those that are right", () => {
    const { problems, excepted } = policiesFound("prod", [
      { ...exception, owner: undefined },
      exception,
      { ...exception, policy: "unknown" },
    ]);
    assert.equal(problems.length, 2);
    assert.deepEqual(excepted, ["image-tag"]);
  });
});

describe("values that are not known before the update", () => {
  it("break no policy, wherever they are", () => {
    const today = { stack: "prod", today: TODAY };
    for (const object of [DEPLOYMENT, CLUSTER, POLICY]) {
      const known = evaluate([declared(object, true), policy], today).findings.map(({ policy: id }) => id);
      for (const path of paths(object)) {
        // What something is, is always known.
        if (path === "kind" || path === "apiVersion") continue;
        const unknown = declared(changed(object, path, UNKNOWN), true);
        for (const { policy: id, problem } of evaluate([unknown, policy], today).findings) {
          assert.ok(known.includes(id), `${String(object["kind"])} ${path}: ${id} ${problem}`);
        }
      }
    }
  });

  it("are read from what the engine hands over, where reading them is an error", () => {
    const handed = {
      image: "worker",
      get digest(): string {
        throw new Error("unknown");
      },
      list: [{ a: null, b: 1 }],
    };
    assert.deepEqual(plainCopy(handed), { image: "worker", digest: UNKNOWN, list: [{ a: null, b: 1 }] });
  });
});

describe("judging running objects", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "stray", namespace: "default", labels: { app: "stray" } },
    spec: { containers: [{ name: "shell", image: "busybox", securityContext: { privileged: true } }] },
  };
  const owned = {
    ...pod,
    metadata: {
      ...pod.metadata,
      namespace: "other",
      ownerReferences: [{ kind: "ReplicaSet", name: "worker-1", controller: true }],
    },
  };

  it("names them by kind, namespace and name", () => {
    const { findings } = evaluateObjects([pod], { stack: "prod", today: TODAY });
    assert.ok(findings.every(({ resource }) => resource === "Pod default/stray"));
    const ids = findings.map(({ policy: id }) => id);
    for (const id of ["image-tag", "no-privileges", "network-policy-coverage", "own-namespace"]) {
      assert.ok(ids.includes(id), id);
    }
  });

  it("judges pods by what made them, but by their own labels whether a policy selects them", () => {
    const ids = evaluateObjects([owned], { stack: "prod", today: TODAY }).findings.map(
      ({ policy: id }) => id,
    );
    assert.ok(ids.includes("network-policy-coverage"));
    assert.ok(!ids.includes("no-privileges"));
  });

  it("lets exceptions name running objects", () => {
    const exceptions = [{ ...exception, resource: "Pod default/stray" }];
    const { excepted } = evaluateObjects([pod], { stack: "prod", today: TODAY, exceptions });
    assert.deepEqual(
      excepted.map(({ policy: id }) => id),
      ["image-tag"],
    );
  });

  it("says nothing about what only a program knows, and about what is no object", () => {
    const { findings } = evaluateObjects([CLUSTER, null, "text", {}, POLICY], {
      stack: "prod",
      today: TODAY,
    });
    assert.ok(!findings.some(({ policy: id }) => id === "protected-data"));
    assert.equal(running(POLICY).protect, undefined);
  });
});

/** Paths of everything in nested values. */
function paths(value: unknown, path: readonly string[] = []): string[] {
  const own = path.length === 0 ? [] : [path.join(".")];
  if (typeof value !== "object" || value === null) return own;
  return [
    ...own,
    // The dots of a label's key would be read as a path.
    ...Object.entries(value).flatMap(([key, item]) => (key.includes(".") ? [] : paths(item, [...path, key]))),
  ];
}
