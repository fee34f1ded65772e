import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate } from "../../policy/evaluate";
import { subjectOfResource } from "../../policy/subject";
import { isValues, type Values } from "../harness";
import { at, deployStack, objectsOf, PROJECT_ROOT } from "./stack";

/** The examples of docs/openings.md. */
const EXAMPLES = [
  ...readFileSync(join(PROJECT_ROOT, "docs/openings.md"), "utf8").matchAll(/^```ts\n(.*?)^```$/gms),
].map(([, text = ""]) => text);
const HOST_NETWORK = `
export const transforms = [
  ({ type, props, opts }) => {
    if (type !== "kubernetes:apps/v1:Deployment") return undefined;
    const { spec } = props;
    const template = { ...spec.template, spec: { ...spec.template.spec, hostNetwork: true } };
    return { props: { ...props, spec: { ...spec, template } }, opts };
  },
];
`;

const COST = { "example.com/cost-center": "4711" };
const mappingOr = (value: unknown): Values => (isValues(value) ? value : {});

describe("transforms.ts", () => {
  const roots: string[] = [];
  const withTransforms = (text: string) => {
    const root = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
    roots.push(root);
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(root, "node_modules"));
    writeFileSync(join(root, "transforms.ts"), text);
    return deployStack("dev", { root });
  };
  after(() => {
    for (const root of roots) rmSync(root, { recursive: true });
  });

  it("changes every resource of the program, as the first example of the documentation does", async () => {
    const plain = await deployStack("dev");
    const changed = await withTransforms(EXAMPLES[0] ?? "");
    const objects = objectsOf(changed);
    assert.ok(objects.length > 20);
    for (const { inputs, registration } of objects) {
      assert.equal(
        at(inputs, "metadata", "annotations", "example.com/cost-center"),
        "4711",
        registration.name,
      );
    }
    const rest = ({ registrations }: typeof plain) =>
      registrations
        .map(({ name, type, secretPaths, inputs }) => {
          const annotations = { ...mappingOr(at(inputs, "metadata", "annotations")), ...COST };
          const metadata = { ...mappingOr(inputs["metadata"]), annotations };
          return { name, type, secretPaths, inputs: { ...inputs, metadata } };
        })
        .filter(({ type }) => type !== "pulumi:pulumi:Stack")
        .sort((a, b) => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`));
    // What is secret stays secret, too.
    assert.deepEqual(rest(changed), rest(plain));
  });

  it("changes one field of one kind, as the second example does", async () => {
    assert.equal(EXAMPLES.length, 2);
    const scalers = objectsOf(await withTransforms(EXAMPLES[1] ?? ""), "HorizontalPodAutoscaler");
    assert.ok(scalers.length > 0);
    for (const { inputs } of scalers) {
      assert.equal(at(inputs, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds"), 1800);
      assert.ok(at(inputs, "spec", "behavior", "scaleDown", "policies"), "what was there stays");
    }
  });

  it("makes what policies judge", async () => {
    const { registrations } = await withTransforms(HOST_NETWORK);
    const subjects = registrations.map(({ name, type, inputs, protect }) =>
      subjectOfResource({ name, urn: `urn:${name}`, type, inputs, protect }),
    );
    const { findings } = evaluate(subjects, { stack: "prod", today: "2026-11-26" });
    assert.ok(
      findings.some(
        ({ policy, resource }) => policy === "no-host-access" && resource === "worker-orders-deployment",
      ),
    );
  });

  it("is refused by its name when it cannot be loaded, exports no list of functions, or throws", async () => {
    await assert.rejects(
      withTransforms("throw new Error('broken');"),
      /transforms\.ts cannot be loaded: broken/,
    );
    await assert.rejects(withTransforms("export const transforms = ["), /transforms\.ts cannot be loaded: /);
    for (const text of ["export const transform = [];", "export default [];", ""]) {
      await assert.rejects(
        withTransforms(text),
        /transforms\.ts must export `transforms`, a list of functions .*, and exports nothing of that name/,
      );
    }
    await assert.rejects(withTransforms("export const transforms = () => 1;"), /exports something else/);
    await assert.rejects(
      withTransforms("export const transforms = [() => { throw new Error('no such key'); }];"),
      /transforms\.ts failed on \S+ \S+: no such key/,
    );
  });
});
