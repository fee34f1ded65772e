import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readGroupFiles } from "../../settings/groupFiles";
import { parseSettings, type Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { imagesOf } from "../../settings/stackImages";

const DIGEST = `sha256:${"a".repeat(64)}`;
const STACK = {
  "temporal-stack:temporal": { mode: "devServer" },
  "temporal-stack:workerImage": { repository: "registry.example.com/worker" },
  "temporal-stack:workers": [{ name: "orders", taskQueues: ["orders"] }],
};
const BILLING = `
taskQueues: [billing]
image: { repository: registry.example.com/billing }
replicas: { min: 1, max: 2 }
stacks:
  dev: { image: { digest: "${DIGEST}" } }
  prod:
    image: { digest: "${DIGEST}" }
    replicas: { max: 9 }
`;

describe("files of worker groups", () => {
  const root = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const folder = join(root, "workers");
  after(() => rmSync(root, { recursive: true }));

  const sourceOf = (files: Record<string, string>, stack: string, config: object) => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const name of ["dev", "prod"])
      writeFileSync(join(root, `Pulumi.${name}.yaml`), stringify({ config }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const source = sourceOfStackFile(root, stack);
    assert.ok(source);
    return source;
  };
  const read = (files: Record<string, string>, stack = "prod", config: object = STACK): Settings =>
    parseSettings(sourceOf(files, stack, config));
  const refused = (files: Record<string, string>, stack = "prod", config: object = STACK): string => {
    let message = "";
    assert.throws(
      () => read(files, stack, config),
      (error: unknown) => {
        message = String(error);
        return true;
      },
    );
    return message;
  };

  it("become groups of the stacks that they name, with what differs there and an image of their own", () => {
    const settings = read({ "billing.yaml": BILLING, "README.md": "no group" });
    assert.deepEqual(
      settings.workers.map(({ name, image, replicas }) => [name, image, replicas.min, replicas.max]),
      [
        ["orders", "worker", settings.workers[0]?.replicas.min, settings.workers[0]?.replicas.max],
        ["billing", "billing", 1, 9],
      ],
    );
    assert.deepEqual(imagesOf(settings)[1], {
      name: "billing",
      repository: "registry.example.com/billing",
      digest: DIGEST,
      build: undefined,
      platform: "linux/amd64",
    });
    assert.equal(read({ "billing.yaml": BILLING }, "dev").workers[1]?.replicas.max, 2);
  });

  it("add nothing to a stack that they do not name", () => {
    const names = read({ "billing.yaml": `taskQueues: [billing]\nstacks: { dev: {} }` }).workers.map(
      ({ name }) => name,
    );
    assert.deepEqual(names, ["orders"]);
  });

  it("can be all the groups that there are, on images that the stack file describes", () => {
    const config = Object.fromEntries(Object.entries(STACK).filter(([key]) => !key.endsWith(":workers")));
    const images = { billing: { repository: "registry.example.com/billing", digest: DIGEST } };
    const settings = read(
      { "reports.yaml": "taskQueues: [reports]\nimage: billing\nstacks: { prod: }" },
      "prod",
      { ...config, "temporal-stack:images": images },
    );
    assert.deepEqual(
      settings.workers.map(({ name, image }) => [name, image]),
      [["reports", "billing"]],
    );
  });

  it("give way to `images` of the stack file, which a rollback writes", () => {
    const other = `sha256:${"b".repeat(64)}`;
    const settings = read({ "billing.yaml": BILLING }, "prod", {
      ...STACK,
      "temporal-stack:images": { billing: { digest: other } },
    });
    assert.deepEqual(settings.images["billing"], {
      repository: "registry.example.com/billing",
      digest: other,
    });
  });

  it("are refused with both places when a group stands in two", () => {
    assert.match(
      refused({ "orders.yaml": "taskQueues: [orders]\nstacks: { prod: {} }" }),
      /workers\/orders\.yaml: worker group "orders" stands in temporal-stack:workers\[0\] \(Pulumi\.prod\.yaml\), too; remove it/,
    );
    // Also where each is for another stack.
    assert.match(
      refused({
        "billing.yaml": "taskQueues: [billing]\nstacks: { dev: {} }",
        "billing.yml": "taskQueues: [billing]\nstacks: { prod: {} }",
      }),
      /workers\/billing\.yml: worker group "billing" stands in workers\/billing\.yaml, too/,
    );
    assert.match(
      refused({ "billing.yaml": BILLING, "copy.yaml": `name: billing${BILLING}` }),
      /name \(workers\/copy\.yaml\): must be "copy", as the file is called/,
    );
  });

  it("name file and key of what is wrong, and the part of the stack where it stands there", () => {
    const message = refused({
      "billing.yaml":
        "taskQueues: []\nreplica: 3\nstacks:\n  prod: { replicas: { min: 0 }, logLevel: loud }\n",
    });
    assert.match(
      message,
      /taskQueues \(workers\/billing\.yaml\): must be a list of at least one task queue name/,
    );
    assert.match(message, /replica \(workers\/billing\.yaml\): unknown key; did you mean "replicas"\?/);
    assert.match(message, /stacks\.prod\.replicas\.min \(workers\/billing\.yaml\): must be an integer/);
    assert.match(message, /stacks\.prod\.logLevel \(workers\/billing\.yaml\): must be/);
    assert.doesNotMatch(message, /workers\[1\]/);
    const image = refused({
      "billing.yaml": "taskQueues: [b]\nimage: { repository: registry.example.com/b }\nstacks: { prod: {} }",
    });
    assert.match(image, /image\.digest \(workers\/billing\.yaml\): is missing: a tag may be pushed again/);
  });

  it("are refused when they name no stack, or one that has no file", () => {
    assert.match(
      refused({ "b.yaml": "taskQueues: [b]" }),
      /stacks \(workers\/b\.yaml\): must name the stacks/,
    );
    assert.match(
      refused({ "b.yaml": "taskQueues: [b]\nstacks: { prd: {} }" }),
      /stacks\.prd \(workers\/b\.yaml\): there is no Pulumi\.prd\.yaml; name one of dev, prod/,
    );
    assert.match(
      refused({ "b.yaml": "taskQueues: [b]\nstacks: { prod: 3 }" }),
      /stacks\.prod .*: must be a mapping/,
    );
    assert.match(refused({ "b.yaml": "- taskQueues" }), /workers\/b\.yaml: must be a mapping/);
    assert.match(refused({ "b.yaml": "a: [hunter2" }), /workers\/b\.yaml, line 1: is not YAML/);
    assert.match(
      refused({ "b.yaml": "stacks: {}\nstacks: {}" }),
      /workers\/b\.yaml, line 2: the key "stacks" stands twice/,
    );
    assert.doesNotMatch(refused({ "b.yaml": "a: [hunter2" }), /hunter2/);
  });

  it("hold no secret, neither encrypted nor in plain text", () => {
    const withSecret = (value: string) =>
      `taskQueues: [b]\nsecrets: [{ env: TOKEN, value: ${value} }]\nstacks: { prod: {} }`;
    const encrypted = refused({ "b.yaml": withSecret("{ secure: v1:x }") });
    assert.match(
      encrypted,
      /secrets\[0\]\.value \(workers\/b\.yaml\): is encrypted, which only the stack file may be.*name a Secret that exists/,
    );
    assert.match(encrypted, /^Error: 1 problem/);
    const plain = refused({ "b.yaml": withSecret("hunter2") });
    assert.match(
      plain,
      /secrets\[0\]\.value \(workers\/b\.yaml\): must be a secret, got plain text.*name a Secret that exists/,
    );
    assert.doesNotMatch(plain, /hunter2|config set/);
  });

  it("hide no plain secret behind one whose place is not known", () => {
    const source = sourceOf(
      { "b.yaml": "taskQueues: [b]\nsecrets: [{ env: TOKEN, value: hunter2 }]\nstacks: { prod: {} }" },
      "prod",
      STACK,
    );
    const unknown = { ...source, secretKeys: ["temporal-stack:workers"], unknownSecrets: ["workers"] };
    assert.throws(() => parseSettings(unknown), /secrets\[0\]\.value \(workers\/b\.yaml\): must be a secret/);
  });

  it("are none where there is no such folder", () => {
    assert.deepEqual(readGroupFiles(join(root, "nowhere")), { files: [], stacks: [] });
  });
});
