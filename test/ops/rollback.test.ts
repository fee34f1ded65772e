import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { Failure } from "../../common/failure";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import type { Update } from "../../ops/history/updates";
import { named, writeRelease } from "../../ops/quarantine/release";
import { restoredConfig } from "../../ops/rollback/config";
import { lockRollback } from "../../ops/rollback/lock";
import { type Situation, stackObstacles, workerObstacles } from "../../ops/rollback/obstacles";
import { planRollback, type RollbackRequest } from "../../ops/rollback/plan";
import { withoutLogins } from "../../common/backendUrl";
import { cliFailure, pulumiProgram } from "../../common/pulumi";
import { STACK_FILES } from "../support/stackFiles";
import {
  billingImage,
  commitOf,
  deployed,
  deployedImage,
  digest,
  image,
  release,
  stateAt,
  updateOf,
  withBilling,
} from "./fixtures";

const situation = (changes: Partial<Situation> = {}): Situation => ({
  stack: "prod",
  state: stateAt("2"),
  payloadKeys: ["key-1"],
  commits: { has: () => true, exports: () => true },
  ...changes,
});

describe("what stands in the way of a rollback", () => {
  const obstacles = (update: Partial<Update>, changes: Partial<Situation> = {}): string =>
    stackObstacles(situation(changes), updateOf("1", update)).join("\n");
  const deployedNow = (changes: Parameters<typeof deployed>[0]): Partial<Situation> => ({
    state: stateAt("2", { deployed: deployed(changes) }),
  });

  it("is nothing, for an update of a commit that is there", () => {
    assert.equal(obstacles({}), "");
    assert.deepEqual(workerObstacles(situation(), updateOf("1")), []);
  });

  const forbidden: readonly [title: string, now: Parameters<typeof deployed>[0], pattern: RegExp][] = [
    ["a server of two minors later", { server: { serverTag: "1.33.0" } }, /go back to 1\.32 at most/],
    [
      "a database of a later major",
      { postgres: { tag: "18.1" } },
      /an older major version cannot read the data/,
    ],
    ["another number of shards", { server: { historyShards: 1024 } }, /deployed is 1024, found 512/],
    [
      "a larger volume",
      { postgres: { storageSize: "60Gi" } },
      /deployed is 60Gi, found 50Gi; volumes never shrink/,
    ],
    ["data in another place", { postgres: { place: "temporal/other" } }, /the data would stay behind/],
  ];
  for (const [title, now, pattern] of forbidden) {
    it(`is ${title}, but not for the workers alone`, () => {
      assert.match(obstacles({}, deployedNow(now)), pattern);
      assert.deepEqual(workerObstacles(situation(deployedNow(now)), updateOf("1")), []);
    });
  }

  it("is not a server of the next minor", () => {
    assert.equal(obstacles({}, deployedNow({ server: { serverTag: "1.32.4" } })), "");
  });

  it("is a payload key that was not there yet", () => {
    assert.match(obstacles({}, { payloadKeys: ["key-1", "key-2"] }), /had no payload key key-2/);
  });

  it("is a program that nobody has, or that would forget the quarantine", () => {
    assert.match(obstacles({ commit: undefined }), /in no Git repository/);
    assert.match(obstacles({ dirty: true }), /differed from commit 1{12}/);
    const gone = { has: () => false, exports: () => false };
    assert.match(obstacles({}, { commits: gone }), /git fetch origin 1{40}/);
    const old = { has: () => true, exports: () => false };
    assert.match(obstacles({}, { commits: old }), /knows no quarantine/);
  });

  it("is a secret that the stack's key does not open any more", () => {
    const config = { "temporal-stack:tracing": { value: "ERROR_UNABLE_TO_DECRYPT", secret: true } };
    assert.match(
      obstacles({ config }),
      /its secrets in temporal-stack:tracing were encrypted with another key/,
    );
  });

  it("is an image that nobody recorded, or that is in another repository", () => {
    assert.match(obstacles({ release: undefined }), /nobody recorded which image/);
    const elsewhere = release("1", { image: `elsewhere/worker@${digest("1")}` });
    assert.match(
      workerObstacles(situation(), updateOf("1", { release: elsewhere })).join(),
      /is in another repository than those of now, registry\.example\.com\/worker/,
    );
  });
});

describe("plan of a rollback", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-plan-"));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  let head: string;
  const request = (changes: Partial<RollbackRequest> = {}): RollbackRequest => ({
    ...{ to: undefined, workerOnly: false, reason: undefined, user: "ann", now: Date.UTC(2026, 0, 31) },
    ...changes,
  });
  const [one, two] = [updateOf("1"), updateOf("2")];

  before(() => {
    git("init", "--quiet");
    writeFileSync(join(folder, "index.ts"), "");
    writeFileSync(join(folder, "Pulumi.prod.yaml"), "config: {}\n");
    git("add", ".");
    git("commit", "--quiet", "--message", "Deployed");
    head = git("rev-parse", "HEAD");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("restores commit, settings and image, and puts away what is left behind", () => {
    const plan = planRollback([two, one], situation(), request(), folder);
    assert.deepEqual(
      [plan.commit, plan.images, plan.settingsOf],
      [commitOf("1"), { worker: image("1") }, one],
    );
    assert.deepEqual(plan.quarantine, [
      {
        digest: digest("2"),
        sources: "2".repeat(16),
        since: "2026-01-31T00:00:00.000Z",
        reason: `left behind by a rollback of ann to commit ${"1".repeat(12)} of ${one.start}`,
      },
    ]);
    assert.equal(
      plan.message,
      `rollback to commit ${"1".repeat(12)} of ${one.start}, image ${"1".repeat(12)}, by ann`,
    );
  });

  it("puts away what a failed update was about to run, and what the history knows it was built from", () => {
    const failed = updateOf("3", { result: "failed", release: undefined });
    const images = [deployedImage("3"), deployedImage("2", { name: undefined, sources: null })];
    const state = stateAt("2", { images });
    const { target, quarantine } = planRollback(
      [failed, two, one],
      situation({ state }),
      request({ reason: "pods crash", to: commitOf("1") }),
      folder,
    );
    assert.equal(target, one);
    assert.deepEqual(
      quarantine.map(({ digest: held, sources, reason }) => [held, sources, reason]),
      [
        [digest("3"), "3".repeat(16), "pods crash"],
        [digest("2"), "2".repeat(16), "pods crash"],
      ],
    );
  });

  it("puts nothing away when the image stays", () => {
    const config = { "temporal-stack:labels": { value: '{"a":"b"}', secret: false } };
    const setting = updateOf("3", { release: release("1"), config });
    const state = stateAt("1");
    const { target, quarantine } = planRollback([setting, one], situation({ state }), request(), folder);
    assert.equal(target, one);
    assert.deepEqual(quarantine, []);
  });

  it("keeps program and settings for the workers alone, if this checkout is what is deployed", () => {
    const workerOnly = request({ workerOnly: true });
    const current = { ...two, commit: head };
    const plan = planRollback([current, one], situation(), workerOnly, folder);
    assert.deepEqual(
      [plan.commit, plan.images, plan.settingsOf],
      [undefined, { worker: image("1") }, current],
    );
    assert.match(plan.message, /^rollback of the workers to commit 1{12}/);
    writeFileSync(join(folder, "Pulumi.prod.yaml"), "encryptionsalt: v1:salt\n");
    planRollback([current, one], situation(), workerOnly, folder);
    // After an update that failed the state knows better than the CLI, which counts stack files.
    const failed = updateOf("3", { result: "failed", release: undefined, commit: head, dirty: true });
    const state = stateAt("2", { program: { commit: head, dirty: false } });
    planRollback([failed, one], situation({ state }), workerOnly, folder);
    const refusals: readonly [Update, RegExp][] = [
      [two, /this checkout is at commit [0-9a-f]{12}, deployed is 2{12}, which this clone does not have/],
      [{ ...current, dirty: true }, /what is deployed is of no commit/],
    ];
    for (const [deployedNow, pattern] of refusals) {
      assert.throws(() => planRollback([deployedNow, one], situation(), workerOnly, folder), pattern);
    }
    // Also when there is nothing to go back to: the checkout is what the user can do something about.
    assert.throws(() => planRollback([two], situation(), workerOnly, folder), /this checkout is at commit/);
    writeFileSync(join(folder, "index.ts"), "changed");
    assert.throws(
      () => planRollback([current, one], situation(), workerOnly, folder),
      /files of the program differ from commit [0-9a-f]{12} in this checkout/,
    );
    git("checkout", "--quiet", ".");
  });

  describe("with an image of its own for a group", () => {
    const groups = (...more: object[]): Update["config"] => ({
      "temporal-stack:workers": {
        value: JSON.stringify([{ name: "orders" }, { name: "bills", image: "billing" }, ...more]),
        secret: false,
      },
    });
    const now = updateOf("2", { release: withBilling("2", "9"), config: groups() });
    const before = updateOf("1", { release: withBilling("1", "8") });
    const billing = deployedImage("9", { name: "billing", reference: billingImage("9"), sources: null });
    const state = stateAt("2", { images: [deployedImage("2"), billing] });
    const digestsOf = (held: readonly { digest: string }[]) => held.map(({ digest: own }) => own);

    it("takes every image back, and puts every one away", () => {
      const plan = planRollback([now, before], situation({ state }), request(), folder);
      assert.deepEqual(plan.images, { worker: image("1"), billing: billingImage("8") });
      assert.deepEqual(digestsOf(plan.quarantine), [digest("2"), digest("9")]);
      assert.match(plan.message, /, images worker 1{12}, billing 8{12}, by ann$/);
    });

    it("takes one back alone, and leaves the others as they are", () => {
      const alone = request({ workerOnly: true, group: "bills" });
      const current = { ...now, commit: head };
      const plan = planRollback([current, before], situation({ state }), alone, folder);
      assert.deepEqual(plan.images, { worker: image("2"), billing: billingImage("8") });
      assert.deepEqual(digestsOf(plan.quarantine), [digest("9")]);
      assert.match(plan.message, /^rollback of group bills to .*, image billing 8{12}, by ann$/);
    });

    it("puts nothing away of another image, also after an update that failed", () => {
      const failed = updateOf("3", { result: "failed", release: undefined, commit: head, config: groups() });
      const earlier = { name: undefined, sources: null };
      const images = [
        deployedImage("3"),
        billing,
        deployedImage("2", earlier),
        deployedImage("7", { ...earlier, reference: billingImage("7") }),
      ];
      const alone = request({ workerOnly: true, group: "bills" });
      const half = stateAt("2", { images, program: { commit: head, dirty: false } });
      const plan = planRollback([failed, before], situation({ state: half }), alone, folder);
      assert.deepEqual(plan.images, { worker: image("3"), billing: billingImage("8") });
      assert.deepEqual(digestsOf(plan.quarantine), [digest("9"), digest("7")]);
    });

    it("takes back a group with a file of its own, with the files of the commit that is deployed", () => {
      const file = join(folder, "workers", "shipping.yaml");
      const written = (replicas: number) =>
        `taskQueues: [shipping]\nreplicas: { min: ${replicas} }\nimage: { repository: a/b, digest: "${digest("9")}" }\nstacks: { prod: {} }\n`;
      const commit = (message: string) => {
        git("add", ".");
        git("commit", "--quiet", "--message", message);
        return git("rev-parse", "HEAD");
      };
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, written(1));
      const first = commit("A group of its own");
      const shipping = (of: string, its: string) => {
        const { images, ...rest } = withBilling(of, its);
        return { ...rest, images: { shipping: images["billing"] ?? assert.fail() } };
      };
      const current = updateOf("2", { release: shipping("2", "9"), config: groups(), commit: first });
      const earlier = updateOf("1", { release: shipping("1", "8"), config: groups() });
      const own = { ...billing, name: "shipping" };
      const alone = request({ workerOnly: true, group: "shipping" });
      const plan = () =>
        planRollback(
          [current, earlier],
          situation({ state: stateAt("2", { images: [deployedImage("2"), own] }) }),
          alone,
          folder,
        );
      assert.deepEqual(plan().images, { worker: image("2"), shipping: billingImage("8") });
      assert.equal(plan().commit, undefined);
      writeFileSync(file, written(2));
      commit("What nobody deployed yet");
      assert.equal(plan().commit, first);
      git("reset", "--quiet", "--hard", head);
    });

    it("refuses a group that is not there, or whose image others run, too", () => {
      const plan = (group: string, config: Update["config"]) => () =>
        planRollback(
          [{ ...now, commit: head, config }, before],
          situation({ state }),
          request({ workerOnly: true, group }),
          folder,
        );
      assert.throws(plan("billing", groups()), /no worker group "billing"; nothing was changed/);
      assert.throws(
        plan("bills", groups({ name: "reports", image: "billing" })),
        /image "billing" of group bills is run by reports, too; nothing was changed/,
      );
      assert.deepEqual(plan("orders", groups())().images, { worker: image("1"), billing: billingImage("9") });
    });

    it("refuses an update that did not have that image", () => {
      assert.deepEqual(workerObstacles(situation({ state }), updateOf("1"), "billing"), [
        'its settings had no image "billing"',
      ]);
      // Another image's repository does not matter then.
      const moved = release("1", {
        image: `elsewhere/worker@${digest("1")}`,
        images: before.release?.images ?? {},
      });
      assert.deepEqual(
        workerObstacles(situation({ state }), updateOf("1", { release: moved }), "billing"),
        [],
      );
    });
  });

  it("counts for the workers alone what differs in the program, not which commit it is", () => {
    const current = { ...two, commit: head };
    const plan = () => planRollback([current, one], situation(), request({ workerOnly: true }), folder);
    const commit = (file: string, text: string) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
      git("add", ".");
      git("commit", "--quiet", "--message", file);
    };
    commit("Pulumi.prod.yaml", "config: { a: 1 }\n");
    commit("docs/page.md", "more");
    commit("components/README.md", "more");
    writeFileSync(join(folder, "gha-creds-1.json"), "{}");
    assert.deepEqual(plan().images, { worker: image("1") });
    commit("components/worker.ts", "changed");
    assert.throws(plan, (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /and the program differs; nothing was changed/);
      assert.deepEqual(error.details, ["components/worker.ts"]);
      return true;
    });
    // Back at what is deployed, by another commit.
    git("revert", "--no-edit", "HEAD");
    assert.deepEqual(plan().images, { worker: image("1") });
  });
});

describe("settings of an earlier update", () => {
  const config: Update["config"] = {
    "pulumi:disable-default-providers": {
      value: '["kubernetes"]',
      objectValue: ["kubernetes"],
      secret: false,
    },
    "temporal-stack:deletionProtection": { value: "false", secret: false },
    "temporal-stack:labels": {
      value: '{"since":"2026-01-01"}',
      objectValue: { since: "2026-01-01" },
      secret: false,
    },
    "temporal-stack:quarantine": { value: '{"add":[]}', objectValue: { add: [] }, secret: false },
    "temporal-stack:tracing": { value: '{"headers":"a=b"}', objectValue: { headers: "a=b" }, secret: true },
    "temporal-stack:workerImage": {
      value: '{"repository":"registry/worker","platform":"linux/arm64"}',
      objectValue: { repository: "registry/worker", platform: "linux/arm64" },
      secret: false,
    },
  };
  const held = {
    digest: digest("2"),
    sources: null,
    since: "2026-01-31T00:00:00.000Z",
    reason: "orders fail",
  };

  it("come with the image by digest, and with what goes into quarantine in place of what did", () => {
    const { plain, secret } = restoredConfig(config, { worker: digest("1") }, [held]);
    const added = { digest: held.digest, since: held.since, reason: held.reason };
    assert.deepEqual(plain, {
      "pulumi:disable-default-providers": ["kubernetes"],
      "temporal-stack:deletionProtection": "false",
      "temporal-stack:labels": { since: "2026-01-01" },
      "temporal-stack:workerImage": {
        repository: "registry/worker",
        platform: "linux/arm64",
        digest: digest("1"),
      },
      "temporal-stack:tracing": {},
      "temporal-stack:quarantine": { add: [added] },
    });
    assert.deepEqual(secret, { "temporal-stack:tracing.headers": "a=b" });
  });

  it("come with the digest of every image that they describe", () => {
    const images = {
      billing: { repository: "registry/billing", digest: digest("8") },
      reports: { build: "workers/reports" },
    };
    const described: Update["config"] = {
      ...config,
      "temporal-stack:images": { value: JSON.stringify(images), objectValue: images, secret: false },
    };
    const digests = { worker: digest("1"), billing: digest("2"), reports: digest("3"), gone: digest("4") };
    assert.deepEqual(restoredConfig(described, digests, []).plain["temporal-stack:images"], {
      billing: { repository: "registry/billing", digest: digest("2") },
      reports: { build: "workers/reports", digest: digest("3") },
    });
  });

  it("lay the digest of an earlier release over the image that the file of a group describes", () => {
    const digests = { worker: digest("1"), billing: digest("2"), gone: digest("4") };
    const imagesIn = (more: Update["config"], names: readonly string[]) =>
      restoredConfig({ ...config, ...more }, digests, [], names).plain["temporal-stack:images"];
    assert.deepEqual(imagesIn({}, ["billing"]), { billing: { digest: digest("2") } });
    assert.equal(imagesIn({}, []), undefined);
    const described = { reports: { repository: "registry/reports", digest: digest("3") } };
    const section = { value: JSON.stringify(described), objectValue: described, secret: false };
    assert.deepEqual(imagesIn({ "temporal-stack:images": section }, ["billing"]), {
      ...described,
      billing: { digest: digest("2") },
    });
  });

  it("encrypt the secret settings of a section and nothing beside them, which the program would refuse", () => {
    const key = "temporal-stack:workerImage";
    const value = '{"repository":"registry/worker","registry":{"username":"u","password":"hunter2"}}';
    const { plain, secret } = restoredConfig({ [key]: { value, secret: true } }, { worker: digest("1") }, []);
    assert.deepEqual(plain, {
      [key]: { repository: "registry/worker", registry: { username: "u" }, digest: digest("1") },
    });
    assert.deepEqual(secret, { "temporal-stack:workerImage.registry.password": "hunter2" });
  });

  it("encrypt a worker's secret where it is in the list", () => {
    const key = "temporal-stack:workers";
    const group = (secret: object) => [{ name: "orders", taskQueues: ["orders"], secrets: [secret] }];
    const objectValue = group({ env: "STRIPE_API_KEY", value: "hunter2" });
    const value = JSON.stringify(objectValue);
    const { plain, secret } = restoredConfig(
      { [key]: { value, objectValue, secret: true } },
      { worker: digest("1") },
      [],
    );
    assert.deepEqual(plain[key], group({ env: "STRIPE_API_KEY" }));
    assert.deepEqual(secret, { [`${key}[0].secrets[0].value`]: "hunter2" });
  });

  it("never show a secret of an older program in another place: its section is encrypted as a whole", () => {
    const key = "temporal-stack:labels";
    const { plain, secret } = restoredConfig(
      { [key]: { value: '{"a":"hunter2"}', secret: true } },
      { worker: digest("1") },
      [],
    );
    assert.ok(!JSON.stringify(plain).includes("hunter2"));
    assert.deepEqual(secret, { [key]: '{"a":"hunter2"}' });
  });
});

describe("release from quarantine", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-release-"));
  const held = {
    digest: digest("2"),
    sources: null,
    since: "2026-01-31T00:00:00.000Z",
    reason: "orders fail",
  };
  const file = join(folder, "Pulumi.prod.yaml");

  beforeEach(() => writeFileSync(file, readFileSync(join(STACK_FILES, "Pulumi.prod.yaml"))));
  after(() => rmSync(folder, { recursive: true }));

  it("goes into the section that is there, with the project's prefix or without", async () => {
    writeFileSync(file, "config:\n  quarantine:\n    release: []\n");
    await writeRelease(folder, "prod", [held], "it was the test");
    const { config } = parse(readFileSync(file, "utf8")) as { config: object };
    assert.deepEqual(Object.keys(config), ["quarantine"]);
  });

  it("is a change of the stack file that keeps its comments, and that the program takes", async () => {
    const before = readFileSync(file, "utf8");
    await writeRelease(folder, "prod", [held], 'said "ok": it was the test');
    await writeRelease(folder, "prod", [{ ...held, since: "2026-02-01T00:00:00.000Z" }], "again");
    const after = readFileSync(file, "utf8");
    const comments = (text: string) => text.split("\n").filter((line) => line.trim().startsWith("#"));
    assert.deepEqual(comments(after), comments(before));
    assert.ok(after.startsWith(before.trimEnd()), after);
    // Without quotes the CLI would make a time of it.
    assert.match(after, /since: "2026-01-31T00:00:00\.000Z"/);
    const source = sourceOfStackFile(folder, "prod");
    assert.ok(source);
    assert.deepEqual(
      parseSettings(source).quarantine.release.map(({ since, reason }) => [since, reason]),
      [
        ["2026-01-31T00:00:00.000Z", 'said "ok": it was the test'],
        ["2026-02-01T00:00:00.000Z", "again"],
      ],
    );
  });

  it("needs a reason of one line, a stack file, and an image that is held", async () => {
    for (const reason of ["two\nlines", "", " ", "x".repeat(301)]) {
      await assert.rejects(writeRelease(folder, "prod", [held], reason), Failure, reason);
    }
    await assert.rejects(writeRelease(folder, "dev", [held], "ok"), /there is no Pulumi\.dev\.yaml/);
    assert.deepEqual(
      parse(readFileSync(file, "utf8")),
      parse(readFileSync(join(STACK_FILES, "Pulumi.prod.yaml"), "utf8")),
    );
    assert.deepEqual(named([held], digest("2").slice(0, 19), "prod"), [held]);
    assert.deepEqual(named([held], "2".repeat(64), "prod"), [held]);
    for (const name of [digest("3"), "2".repeat(11), "sha256:", ""]) {
      assert.throws(() => named([held], name, "prod"), /no image .* is in quarantine on stack prod/);
    }
  });
});

describe("lock of a rollback", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-lock-"));
  const abandoned: string[] = [];
  const lock = () =>
    lockRollback(folder, "prod", (left) => {
      abandoned.push(left);
      return Promise.resolve();
    });
  const file = join(folder, "rollback-prod.json");

  beforeEach(() => {
    abandoned.length = 0;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is held by one, and free again after it", async () => {
    const held = await lock();
    await assert.rejects(
      lock(),
      /another rollback of stack prod is under way \(process \d+\); nothing was changed/,
    );
    await held.release();
    await (await lock()).release();
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(abandoned, []);
  });

  it("goes over from a process that was killed, with what that one left", async () => {
    const ended = spawn("true");
    await once(ended, "exit");
    writeFileSync(file, JSON.stringify({ pid: ended.pid, started: "1", folders: ["a", "b"] }));
    await (await lock()).release();
    assert.deepEqual(abandoned, ["a", "b"]);
  });

  it("goes over from a process whose number another one has now, and from a file that cannot be read", async () => {
    for (const content of [JSON.stringify({ pid: process.pid, started: "1" }), "", "{}"]) {
      writeFileSync(file, content);
      await (await lock()).release();
    }
  });

  it("remembers every folder until it is released", async () => {
    const held = await lock();
    await held.note("a");
    await held.note("b");
    assert.deepEqual((JSON.parse(readFileSync(file, "utf8")) as { folders: string[] }).folders, ["a", "b"]);
    await held.release();
  });
});

describe("failures of the Pulumi CLI", () => {
  const told = (output: string, code?: string): string => {
    const failure = cliFailure({ stack: "prod", local: false }, ["up"], output, code);
    return [failure.message, ...failure.details, failure.remedy].join("\n");
  };

  it("say what they mean", () => {
    const meanings: readonly [output: string, pattern: RegExp][] = [
      ["error: decrypting secrets: incorrect passphrase", /secrets of stack prod cannot be decrypted/],
      [
        "error: decrypting secrets: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
        /secrets of stack prod cannot be decrypted/,
      ],
      ["error: no stack named 'prod' found", /there is no stack prod on this backend/],
      [
        "error: the stack is currently locked by 1 lock(s). Either wait\n  s3://b/x.json: created by ann@host (pid 42) at 2026-01-01T00:00:00Z",
        /another command works on stack prod: process 42 of ann on host\n.*npm run recover -- -s prod/,
      ],
      [
        `error: the stack is currently locked by 1 lock(s). Either wait\n  postgres://****/x.json: created by ann@${hostname()} (pid ${2 ** 30}) at 2026-01-01T00:00:00Z`,
        /stack prod is locked by process \d+ of ann on .*, which is gone; nothing was changed\n.*pulumi cancel --stack prod/,
      ],
      [
        'error: unable to open state database "postgres://ann:hunter2@db/x": failed to ping PostgreSQL: refused',
        /backend that keeps the stacks cannot be opened\n.*"postgres:\/\/\*{4}@db\/x": .*refused\n/,
      ],
      ["Diagnostics:\n  it broke\n\nResources:\n  1 changed\n", /^pulumi up failed\n {2}it broke\n/],
    ];
    for (const [output, pattern] of meanings) assert.match(told(output), pattern);
    assert.match(told("", "ENOENT"), /the Pulumi CLI is not on PATH/);
  });

  it("show no login of a backend, however its password is written", () => {
    for (const url of [
      "postgres://ann:hunter2@db.example.com:5432/pulumi?sslmode=require",
      "postgres://ann:hun/ter2@x@db/pulumi",
      "postgres://db/pulumi?user=ann&password=hunter2&sslmode=require",
    ]) {
      const shown = withoutLogins(`error: unable to open "${url}": refused`, url);
      assert.doesNotMatch(shown, /hun|ter2/, url);
      assert.match(shown, /^error: unable to open "postgres:\/\/(\*{4}@)?db[^@]*": refused$/, url);
    }
    const other = "see postgres://bob:secret@other/db, s3://bucket?region=x and ann@host (pid 42)";
    const shown = "see postgres://****@other/db, s3://bucket?region=x and ann@host (pid 42)";
    assert.equal(withoutLogins(other, "file:///state"), shown);
  });

  it("are those of the CLI itself, not of npm's launcher in front of it", () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-path-"));
    const [launcher, cli] = [join(folder, "node_modules/.bin"), join(folder, "cli")];
    for (const place of [launcher, cli]) {
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, "pulumi"), "");
    }
    assert.equal(pulumiProgram(`${launcher}:/nowhere:${cli}`), join(cli, "pulumi"));
    assert.equal(pulumiProgram(launcher), undefined);
    rmSync(folder, { recursive: true });
  });
});
