import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import { imagesOf } from "../../settings/stackImages";
import { LEAST, refusal, source } from "../components/refusal";
import { chartSections } from "../components/samples";
import type { Values } from "../harness";

const DIGEST = `sha256:${"1".repeat(64)}`;
const BILLING = { repository: "registry.example.com/billing", digest: DIGEST };

const group = (name: string, changes: Values = {}): Values => ({ name, taskQueues: [name], ...changes });
const sections = (images: Values, ...groups: Values[]): Values => ({ ...LEAST, images, workers: groups });

describe("images of worker groups", () => {
  it("are the one of workerImage, unless a group names another", () => {
    const settings = parseSettings(
      source(sections({ billing: BILLING }, group("orders"), group("billing", { image: "billing" }))),
    );
    assert.deepEqual(
      settings.workers.map(({ image }) => image),
      ["worker", "billing"],
    );
    assert.deepEqual(imagesOf(settings), [
      {
        name: "worker",
        repository: "registry.example.com/worker",
        digest: undefined,
        build: "worker",
        platform: "linux/amd64",
      },
      { name: "billing", ...BILLING, build: undefined, platform: "linux/amd64" },
    ]);
  });

  it("are pushed beside the sample's when they are built here, and taken as they are with a digest", () => {
    const built = (image: Values) =>
      imagesOf(parseSettings(source(sections({ a: image }, group("a", { image: "a" })))))[1];
    assert.deepEqual(built({ build: "workers/a" }), {
      ...{
        name: "a",
        repository: "registry.example.com/worker-a",
        digest: undefined,
        build: "workers/a",
        platform: "linux/amd64",
      },
    });
    assert.equal(built({ build: "workers/a", platform: "linux/arm64" })?.platform, "linux/arm64");
    assert.equal(built({ build: "workers/a", digest: DIGEST })?.digest, DIGEST);
    assert.equal(built({ build: "workers/a", repository: "b/c" })?.repository, "b/c");
  });

  const running = (image: unknown) => sections({ billing: image }, group("billing", { image: "billing" }));
  const cases: readonly [title: string, sections: Values, pattern: RegExp][] = [
    [
      "an image that is not there",
      sections({ billing: BILLING }, group("a", { image: "biling" }), group("b", { image: "billing" })),
      /workers\[0\]\.image .*"biling" is no image of this stack \(worker, billing\); describe it as images\.biling/,
    ],
    [
      "an image that nobody runs",
      sections({ billing: BILLING }, group("orders")),
      /temporal-stack:images\.billing .*: is run by nobody; name it as the `image` of a group/,
    ],
    [
      "an image without a digest",
      running({ repository: "a/b" }),
      /images\.billing\.digest .*: is missing: a tag may be pushed again; .* or with `build` a folder/,
    ],
    [
      "an image by tag",
      running({ repository: "a/b:1", digest: DIGEST }),
      /images\.billing\.repository .*without tag/,
    ],
    [
      "an image without a repository",
      running({ digest: DIGEST }),
      /images\.billing\.repository .*is missing/,
    ],
    [
      "a build elsewhere",
      running({ build: "../secrets" }),
      /images\.billing\.build .*must be a folder of this repository: worker, or one below workers\//,
    ],
    [
      "the sample's name for another image",
      sections({ worker: BILLING }, group("orders")),
      /images\.worker .*is the name of the image that workerImage describes/,
    ],
    [
      "an unknown key of an image, with the one that is meant",
      running({ ...BILLING, diges: DIGEST }),
      /images\.billing\.diges .*unknown key; did you mean "digest"\?/,
    ],
    [
      "two groups with one name",
      sections({ billing: BILLING }, group("a"), group("a", { image: "billing" })),
      /workers\[1\]\.name .*"a" is the name of workers\[0\] already/,
    ],
  ];
  for (const [title, wrong, pattern] of cases) {
    it(`refuse ${title}`, () => assert.match(refusal(wrong), pattern));
  }

  it("name what was found, as a digest is no secret", () => {
    assert.match(refusal(running({ repository: "a/b", digest: "latest" })), /got "latest"/);
  });
});

describe("Temporal namespaces of worker groups", () => {
  const groups = { workers: [group("orders"), group("billing", { namespace: "billing" })] };

  it("are those that the stack makes", () => {
    const made = { ...chartSections({ namespaces: [{ name: "default" }, { name: "billing" }] }), ...groups };
    assert.equal(parseSettings(source(made)).workers[1]?.namespace, "billing");
    assert.match(
      refusal({ ...chartSections(), ...groups }),
      /workers\[1\]\.namespace .*"billing" is not among temporal\.namespaces \(default\), so nobody makes it; add it there/,
    );
  });

  it("are any where the server makes them at start, or is elsewhere", () => {
    const temporal = {
      ...{ mode: "external", address: "a:1", namespace: "n", network: { namespace: "t" } },
    };
    for (const server of [{ mode: "devServer" }, temporal]) {
      parseSettings(source({ ...LEAST, temporal: server, ...groups }));
    }
    assert.match(
      refusal({ ...LEAST, workers: [group("a", { namespace: "temporal-system" })] }),
      /workers\[0\]\.namespace .*the server's own/,
    );
  });
});

describe("what a worker group runs", () => {
  const wrong: readonly [title: string, changes: Values, pattern: RegExp][] = [
    ["a command in one text", { command: "python -m a" }, /command .*must be a list of 1 to 100 texts/],
    ["no words", { args: [] }, /args .*must be a list of 1 to 100 texts/],
    ["a word with NUL", { args: ["a\u0000"] }, /args\[0\] .*without NUL/],
    ["a port that needs a capability", { ports: { health: 80 } }, /ports\.health .*from 1024 to 65535/],
    ["one port for both", { ports: { metrics: 8080 } }, /ports\.metrics .*is the port of ports\.health, too/],
    [
      "probes of no kind",
      { probes: { mode: "tcp" } },
      /probes\.mode .*must be one of "http", "exec", "none"/,
    ],
    ["a path that is none", { probes: { mode: "http", startup: "x" } }, /probes\.startup .*begins with \//],
    [
      "a program without command",
      { probes: { mode: "exec", startup: ["a"] } },
      /probes\.liveness .*is missing/,
    ],
  ];
  for (const [title, changes, pattern] of wrong) {
    it(`refuses ${title}`, () =>
      assert.match(refusal({ ...LEAST, workers: [group("a", changes)] }), pattern));
  }

  it("knows how the sample divides its memory, and nothing of another program's", () => {
    const small = {
      image: "billing",
      resources: { requests: { memory: "64Mi" }, limits: { memory: "96Mi" } },
    };
    parseSettings(source(sections({ billing: BILLING }, group("billing", small))));
    const sample = { ...small, image: "worker" };
    assert.match(
      refusal(sections({}, group("billing", sample))),
      /resources\.limits\.memory .*is too little/,
    );
    const env = { NODE_OPTIONS: "--max-old-space-size=100" };
    parseSettings(source(sections({ billing: BILLING }, group("billing", { image: "billing", env }))));
    assert.match(
      refusal(sections({}, group("billing", { env }))),
      /env\.NODE_OPTIONS .*is set by this program/,
    );
  });
});
