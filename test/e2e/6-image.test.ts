import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { docker, extractImage } from "../../common/imageEngine";
import { recordedCluster } from "../../common/localStack";
import { buildArguments, buildImage } from "../../toolchain/plugins/dockerProvider/build";
import { type Image, parseImage } from "../../toolchain/plugins/dockerProvider/inputs";
import { applySourceDate } from "../../toolchain/plugins/dockerProvider/sourceDate";
import { checkout, pulumi } from "./support";

const EXIT_CONFIGURATION = 78;
/** Compressed it is a third of that; the plain `npm ci` of the same worker has 244 MB. */
const MAX_APPLICATION_BYTES = 45e6;

const layersSchema = z.object({ Layers: z.array(z.string()) });
const baseInspection = z.tuple([z.object({ RootFS: layersSchema })]);
const inspection = z.tuple([
  z.object({
    Id: z.string(),
    Created: z.string(),
    Config: z.object({
      User: z.string(),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()) }),
    }),
    RootFS: layersSchema,
  }),
]);
const packageSchema = z.looseObject({
  name: z.string().optional(),
  scripts: z.record(z.string(), z.string()).optional(),
});
const machineSchema = z.object({
  buildNetwork: z.string().optional(),
  baseImages: z.object({ build: z.string(), runtime: z.string() }),
});

describe("worker image", function () {
  this.timeout(900_000);
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-image-"));
  const root = join(folder, "root");
  let reference: string;
  let files: string[];

  before("the deployed image, unpacked", async () => {
    Object.assign(process.env, recordedCluster()?.cluster?.imageEnvironment);
    const { output } = await pulumi("stack", "output", "workerImage");
    reference = output.trim().split("\n").at(-1) ?? "";
    cpSync(join(checkout, "worker"), join(folder, "worker"), {
      recursive: true,
      filter: (source) => !source.endsWith("node_modules"),
    });
    mkdirSync(root);
    await extractImage(reference, root);
    files = filesBelow(root);
  });

  after(() => rmSync(folder, { recursive: true }));

  const inspect = async (image: string) => inspection.parse(JSON.parse(await docker(["inspect", image])))[0];

  /** The image as the stack builds it, from a copy of its context. */
  function image(name: string): Image {
    const { buildNetwork, baseImages } = machineSchema.parse(
      recordedCluster()?.cluster?.settings["workerImage"],
    );
    return parseImage({
      imageName: `localhost/temporal-stack/${name}:e2e`,
      skipPush: true,
      build: {
        context: join(folder, "worker"),
        ...(buildNetwork === undefined ? {} : { network: buildNetwork }),
        args: {
          BUILD_IMAGE: baseImages.build,
          RUNTIME_IMAGE: baseImages.runtime,
          REVISION: "0123456789abcdef",
          SOURCE_DATE_EPOCH: "1700000000",
        },
      },
    });
  }

  it("holds no shell, no package manager and no compiler", () => {
    const programs = /(^|\/)(sh|bash|dash|busybox|npm|npx|corepack|yarn|apt|apt-get|dpkg|tsc|esbuild)$/;
    assert.deepEqual(
      files.filter((file) => programs.test(file)),
      [],
    );
    assert.ok(files.includes("nodejs/bin/node"));
  });

  it("holds of the worker only what is loaded, with the licences and package boundaries around it", () => {
    const application = files.filter((file) => file.startsWith("app/"));
    const packages = application.filter((file) => file.startsWith("app/node_modules/"));
    assert.deepEqual(
      packages.filter((file) => /\.(ts|map|rs|md)$/.test(file) && !/licen[cs]e|notice/i.test(file)),
      [],
    );
    for (const unwanted of [
      "webpack",
      "@swc/core",
      "typescript",
      "esbuild",
      "mocha",
      "@temporalio/testing",
    ]) {
      assert.ok(!existsSync(join(root, "app/node_modules", unwanted)), unwanted);
    }
    const addons = application.filter((file) => file.endsWith(".node"));
    assert.equal(addons.length, 1, addons.join("\n"));
    const bytes = application.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
    assert.ok(bytes < MAX_APPLICATION_BYTES, `${bytes} bytes`);
  });

  it("holds no install script that could be run", () => {
    for (const file of files.filter((name) => /^app\/.*package\.json$/.test(name))) {
      const { name, scripts = {} } = packageSchema.parse(JSON.parse(readFileSync(join(root, file), "utf8")));
      for (const hook of ["preinstall", "install", "postinstall"]) {
        for (const script of (scripts[hook] ?? "").match(/[\w./-]+/g) ?? []) {
          const there = ["", ".js"].some((ending) => isFile(join(root, file, "..", `${script}${ending}`)));
          assert.ok(!there, `${name ?? file} has ${script}, which its ${hook} would run`);
        }
      }
    }
  });

  it("adds nothing outside /app to its base, and runs as nobody", async () => {
    const { Config, RootFS } = await inspect(reference);
    const baseName = Config.Labels["org.opencontainers.image.base.name"] ?? "";
    const [base] = baseInspection.parse(JSON.parse(await docker(["inspect", baseName])));
    assert.deepEqual(RootFS.Layers.slice(0, base.RootFS.Layers.length), base.RootFS.Layers);
    const baseRoot = join(folder, "base");
    mkdirSync(baseRoot);
    await extractImage(baseName, baseRoot);
    const inBase = new Set(filesBelow(baseRoot));
    assert.deepEqual(
      files.filter((file) => !inBase.has(file) && !file.startsWith("app/")),
      [],
    );
    assert.equal(Config.User, "65532:65532");
    assert.deepEqual([...Config.Entrypoint, ...Config.Cmd], ["/nodejs/bin/node", "lib/main.js"]);
    for (const label of ["title", "licenses", "revision", "version", "source", "created"]) {
      assert.notEqual(Config.Labels[`org.opencontainers.image.${label}`] ?? "", "", label);
    }
  });

  it("starts on a read-only root, and names what is missing in its settings", async () => {
    const container = await docker(["create", "--read-only", "--cap-drop=ALL", "--network=none", reference]);
    await docker(["start", container]);
    assert.equal(await docker(["wait", container]), String(EXIT_CONFIGURATION));
    await docker(["rm", container]);
  });

  it("reports its health to plain Docker, also while Temporal cannot be reached", async () => {
    const settings = [
      "TEMPORAL_ADDRESS=127.0.0.1:1",
      "TEMPORAL_NAMESPACE=default",
      "TEMPORAL_TASK_QUEUES=e2e",
    ];
    const container = await docker([
      ...["run", "--detach", "--read-only", "--network=none"],
      ...settings.flatMap((setting) => ["--env", setting]),
      reference,
    ]);
    try {
      const health = () => docker(["inspect", "--format", "{{.State.Health.Status}}", container]);
      for (let second = 0; second < 60 && (await health()) === "starting"; second++) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      assert.equal(await health(), "healthy");
    } finally {
      await docker(["rm", "--force", container]);
    }
  });

  it("has the same digest with the layers that are there and with none of them", async () => {
    const ids: string[] = [];
    for (const [name, ...cache] of [["kept"], ["fresh", "--no-cache"]] as const) {
      const built = image(name);
      await docker([...buildArguments(built).slice(0, -1), ...cache, built.build.context]);
      await applySourceDate(built, new AbortController().signal);
      const { Id, Created } = await inspect(built.imageName);
      assert.equal(Date.parse(Created), 1_700_000_000_000);
      ids.push(Id);
    }
    assert.equal(ids[0], ids[1]);
  });

  it("shows what the failing step of a build printed", async () => {
    appendFileSync(
      join(folder, "worker/src/workflows/index.ts"),
      "\nexport const broken: number = 'text';\n",
    );
    const log = { info: () => undefined, status: () => undefined, warning: () => undefined };
    await assert.rejects(
      buildImage(image("broken"), false, { log, urn: "", signal: new AbortController().signal }),
      /npm run build[^]*src\/workflows\/index\.ts.*TS2322/,
    );
  });
});

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
