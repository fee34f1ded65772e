// Proves that out/ starts by itself: the module graph, the native addon, the workflow thread, the bundle and tracing.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const EXIT_CONFIGURATION = 78;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "out");
const histories = join(root, "test", "histories");

const addons = join(out, "node_modules", "@temporalio", "core-bridge", "releases");
const ownTriple = { x64: "x86_64-unknown-linux-gnu", arm64: "aarch64-unknown-linux-gnu" }[process.arch];
if (!readdirSync(addons).includes(ownTriple)) {
  console.log(`not started: ${readdirSync(addons).join(", ")} cannot run on ${process.arch}`);
  process.exit(0);
}

for (const program of ["lib/main.js", "lib/codec-server/main.js", "lib/cli/replay.js"]) {
  const { status, stderr } = spawnSync(process.execPath, [program], { cwd: out, env: {}, encoding: "utf8" });
  if (status !== EXIT_CONFIGURATION) {
    throw new Error(`without settings ${program} must exit ${EXIT_CONFIGURATION}, not ${status}:\n${stderr}`);
  }
}

const require = createRequire(join(out, "package.json"));
const loadsTelemetry = () => Object.keys(require.cache).some((file) => file.includes("@opentelemetry"));
require("./lib/service.js");
if (loadsTelemetry()) throw new Error("OpenTelemetry is loaded although tracing is off");
require("./lib/tracing/provider.js");
if (!loadsTelemetry()) throw new Error("OpenTelemetry is not loaded for tracing");
const { DefaultLogger, Runtime, Worker } = require("@temporalio/worker");
Runtime.install({ logger: new DefaultLogger("WARN") });
const replayed = readdirSync(histories).filter((name) => name.endsWith(".json"));
if (replayed.length === 0) throw new Error(`${histories} holds no history to replay`);
for (const name of replayed) {
  const { workflowId, history } = JSON.parse(readFileSync(join(histories, name), "utf8"));
  await Worker.runReplayHistory(
    {
      workflowBundle: { codePath: join(out, "lib", "workflow-bundle.js") },
      dataConverter: { failureConverterPath: join(out, "lib", "codec", "failure-converter.js") },
    },
    history,
    workflowId,
  );
}
console.log(`exit ${EXIT_CONFIGURATION} without settings, ${replayed.length} histories replayed`);
