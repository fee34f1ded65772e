import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { buildArguments, repositoryOf } from "../../../toolchain/plugins/dockerProvider/build";
import { failingPart } from "../../../toolchain/plugins/dockerProvider/cli";
import { parseImage } from "../../../toolchain/plugins/dockerProvider/inputs";
import { dated } from "../../../toolchain/plugins/dockerProvider/sourceDate";
import { isMap, type PropertyMap } from "../../../toolchain/plugins/runtime/properties";
import { type RunningPlugin, startPlugin, workFolder } from "./pluginProcess";
import { Provider, revealed, urnOf } from "./providerClient";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const DIGEST = `sha256:${"ab".repeat(32)}`;
const NAME = "localhost:5000/temporal-stack/worker:local";
const directory = join(workFolder, "docker project");
const record = join(directory, "calls.txt");

/** Writes down how it was called and answers like the Docker CLI 20.10; the real one runs in the e2e. */
const DOCKER = `#!/bin/sh
{ printf '%s' "buildkit=$DOCKER_BUILDKIT"; for argument; do printf ' [%s]' "$argument"; done; echo; } >> '${record}'
case "$1" in
  login) cat > '${record}.password'; cp "$DOCKER_CONFIG/config.json" '${record}.config'; echo "$DOCKER_CONFIG" > '${record}.folder' ;;
  build) echo '#5 [2/3] RUN npm ci' >&2; echo '#5 sha256:${"0".repeat(64)}' >&2
    if [ -e '${record}.fail' ]; then
      printf '#5 0.3 npm error missing\\n#6 CANCELED\\n#5 ERROR: exit code: 1\\n------\\n > [2/3] RUN npm ci:\\n------\\nexit code: 1\\n' >&2
      exit 1
    fi ;;
  push) echo 'local: digest: ${DIGEST} size: 523' ;;
  image) echo '${DIGEST}' ;;
esac
`;

function calls(): string[] {
  return existsSync(record) ? readFileSync(record, "utf8").trim().split("\n") : [];
}

/** Takes the log messages as the engine does. */
async function startEngine(messages: string[]): Promise<{ address: string; stop: () => void }> {
  const server = new Server();
  server.addService(EngineService, {
    log: (call: { request: LogRequest }, callback: (error: null, response: Empty) => void) => {
      messages.push(call.request.getMessage());
      callback(null, new Empty());
    },
  });
  const port = await new Promise<number>((bound, failed) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, found) => {
      if (error) failed(error);
      else bound(found);
    });
  });
  return {
    address: `127.0.0.1:${String(port)}`,
    stop: () => {
      server.forceShutdown();
    },
  };
}

describe("docker provider", () => {
  const messages: string[] = [];
  let engine: { address: string; stop: () => void };
  let plugin: RunningPlugin;
  let image: Provider;

  const inputs: PropertyMap = {
    imageName: NAME,
    build: { context: "app", args: { BUILD_IMAGE: "node:24" } },
  };
  const checked = async (given: PropertyMap = inputs) => (await image.check(given)).inputs;

  before(async () => {
    mkdirSync(join(directory, "app"), { recursive: true });
    writeFileSync(join(directory, "app/Dockerfile"), "FROM scratch\n");
    writeFileSync(join(directory, "docker"), DOCKER, { mode: 0o755 });
    engine = await startEngine(messages);
    plugin = await startPlugin("docker", {
      engine: engine.address,
      directory,
      environment: {
        TEMPORAL_STACK_DOCKER: join(directory, "docker"),
      },
    });
    image = new Provider(plugin.address, urnOf("docker:index/image:Image"));
  });

  beforeEach(() => {
    rmSync(record, { force: true });
    rmSync(`${record}.fail`, { force: true });
    writeFileSync(join(directory, "app/main.js"), "one");
  });

  after(async () => {
    image.close();
    await plugin.stop();
    engine.stop();
  });

  it("fills in the official provider's defaults and the hash of the context", async () => {
    const { build, ...rest } = await checked();
    assert.deepEqual(rest, { imageName: NAME, buildOnPreview: false });
    assert.ok(isMap(build));
    const { contextDigest, platform, ...given } = build;
    assert.ok(typeof contextDigest === "string" && typeof platform === "string");
    assert.match(contextDigest, /^[0-9a-f]{64}$/);
    assert.match(platform, /^linux\/(amd64|arm64)$/);
    assert.deepEqual(given, {
      context: "app",
      dockerfile: "app/Dockerfile",
      args: { BUILD_IMAGE: "node:24" },
    });
  });

  it("builds and pushes through the Docker CLI, and answers with the official outputs", async () => {
    const news = await checked();
    const { id, state } = await image.create(news);
    const { __inputs, platform, ...outputs } = state;
    assert.equal(id, NAME);
    assert.ok(typeof platform === "string");
    assert.deepEqual(outputs, {
      baseImageName: NAME,
      context: "app",
      dockerfile: "Dockerfile",
      imageName: NAME,
      registryServer: "",
      repoDigest: `localhost:5000/temporal-stack/worker@${DIGEST}`,
    });
    assert.deepEqual(revealed(__inputs), news);
    assert.deepEqual(calls(), [
      "buildkit=1 [build] [--progress] [plain] [--file] [app/Dockerfile] " +
        `[--tag] [${NAME}] [--platform] [${platform}] [--build-arg] [BUILD_IMAGE=node:24] ` +
        "[app]",
      `buildkit= [push] [${NAME}]`,
    ]);
    assert.ok(messages.includes("#5 [2/3] RUN npm ci"));
    assert.ok(!messages.some((message) => message.startsWith("#5 sha256:")));
  });

  it("sees no change in an unchanged context, an update in a changed file, nothing in a password", async () => {
    const registry = { server: "localhost:5000", username: "user", password: "first" };
    const news = await checked({ ...inputs, registry });
    const olds = { imageName: NAME, __inputs: news };
    assert.equal((await image.diff(olds, await checked({ ...inputs, registry }))).changes, false);
    const renamed = { ...registry, username: "other", password: "second" };
    assert.equal((await image.diff(olds, await checked({ ...inputs, registry: renamed }))).changes, false);
    const elsewhere = { ...registry, server: "localhost:5001" };
    const moved = await image.diff(olds, await checked({ ...inputs, registry: elsewhere }));
    assert.deepEqual([moved.changes, Object.keys(moved.kinds)], [true, ["registry"]]);

    writeFileSync(join(directory, "app/main.js"), "two");
    const changed = await image.diff(olds, await checked({ ...inputs, registry }));
    assert.deepEqual([changed.changes, Object.keys(changed.kinds), changed.replaces], [true, ["build"], []]);
  });

  it("builds nothing in a preview, unless told to, and then pushes nothing", async () => {
    const news = await checked();
    assert.deepEqual((await image.create(news, true)).state, news);
    assert.deepEqual(await image.update({}, news, true), news);
    assert.deepEqual(calls(), []);

    const eager = await checked({ ...inputs, buildOnPreview: true });
    assert.equal((await image.create(eager, true)).state["repoDigest"], DIGEST);
    assert.deepEqual(
      calls().map((line) => /\[(\w+)\]/.exec(line)?.[1]),
      ["build", "image"],
    );
    const unknown = await checked({ ...inputs, imageName: UNKNOWN, buildOnPreview: true });
    assert.deepEqual((await image.create(unknown, true)).state, unknown);
  });

  it("gives the local image's id where nothing is pushed", async () => {
    const { state } = await image.create(await checked({ ...inputs, imageName: "worker", skipPush: true }));
    assert.equal(state["repoDigest"], DIGEST);
    assert.ok(!calls().some((line) => line.includes("[push]")));
  });

  it("logs in through standard input, within a configuration of its own that is gone afterwards", async () => {
    const registry = { server: "localhost:5000", username: "user", password: "hunter2" };
    const { state } = await image.create(await checked({ ...inputs, registry }));
    assert.equal(state["registryServer"], "localhost:5000");
    assert.match(
      calls()[0] ?? "",
      /\[login\] \[--username\] \[user\] \[--password-stdin\] \[localhost:5000\]/,
    );
    assert.equal(readFileSync(`${record}.password`, "utf8"), "hunter2");
    assert.doesNotMatch(calls().join("\n"), /hunter2/);
    assert.match(readFileSync(`${record}.config`, "utf8"), /"auths":\{.*"localhost:5000":\{\}/);
    assert.ok(!existsSync(readFileSync(`${record}.folder`, "utf8").trim()));
    assert.doesNotMatch(messages.join("\n"), /hunter2/);
  });

  it("shows the failing step's output when a build fails", async () => {
    writeFileSync(`${record}.fail`, "");
    await assert.rejects(
      image.create(await checked()),
      /docker build failed \(exit code 1\):\n\[2\/3\] RUN npm ci\nnpm error missing\nERROR: exit code: 1$/m,
    );
    assert.equal(failingPart(Array.from({ length: 50 }, (_, line) => String(line))).split("\n").length, 40);
  });

  it("refuses wrong inputs, and says what to do", async () => {
    const failures = async (given: PropertyMap) => (await image.check(given)).failures.join("\n");
    assert.match(
      await failures({ ...inputs, imageName: "worker:local" }),
      /imageName: .*docker\.io\/user\/image/,
    );
    assert.match(await failures({ build: { context: "app" } }), /^imageName: required/);
    assert.match(
      await failures({ imageName: NAME, build: { context: "nowhere" } }),
      /^build\.context: folder "nowhere"/,
    );
    assert.match(
      await failures({ imageName: NAME, build: { context: "app", dockerfile: "Dockerfile" } }),
      /^build\.dockerfile: .*try "app\/Dockerfile"/,
    );
    assert.match(
      await failures({ imageName: NAME, build: { context: "app", builderVersion: "3" } }),
      /^build\.builderVersion: expected one of BuilderBuildKit, BuilderV1/,
    );
    assert.deepEqual((await image.configure({ host: "unix:///x", registryAuth: [] })).failures, [
      "registryAuth",
    ]);
    const container = new Provider(plugin.address, urnOf("docker:index/container:Container"));
    await assert.rejects(
      container.check({}),
      /docker:index\/container:Container .*install resource docker v5\.2\.0/,
    );
    container.close();
  });

  it("dates an image's configuration by its sources, and leaves what is older", () => {
    const configuration = {
      architecture: "amd64",
      created: "2026-03-03T03:03:03Z",
      history: [
        { created: "2020-01-01T00:00:00Z", created_by: "base" },
        { created: "2026-03-03T03:03:03Z", created_by: "COPY" },
        { created_by: "LABEL", empty_layer: true },
      ],
      rootfs: { type: "layers", diff_ids: [DIGEST] },
    };
    const date = "2025-02-02T02:02:02Z";
    assert.deepEqual(JSON.parse(dated(JSON.stringify(configuration), date)), {
      ...configuration,
      created: date,
      history: configuration.history.map((entry, index) =>
        index === 0 ? entry : { ...entry, created: date },
      ),
    });
  });

  it("translates every build option", () => {
    const build = {
      context: ".",
      target: "runtime",
      network: "default",
      builderVersion: "BuilderV1",
      addHosts: ["a:1.2.3.4"],
      cacheFrom: { images: ["localhost:5000/cache:1"] },
    };
    const args = buildArguments(parseImage({ imageName: NAME, build }));
    assert.deepEqual(args, [
      ...["build", "--file", "Dockerfile", "--tag", NAME, "--target", "runtime"],
      ...["--add-host", "a:1.2.3.4", "--cache-from", "localhost:5000/cache:1", "."],
    ]);
    assert.equal(repositoryOf("localhost:5000/a/b"), "localhost:5000/a/b");
    assert.equal(repositoryOf("docker.io/a/b:1.2"), "docker.io/a/b");
  });
});
