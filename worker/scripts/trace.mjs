// Assembles what the worker loads at run time, and nothing else, in out/: whole package boundaries (package.json and
// licences stay for scanners), but only the files that are reachable. Set TRIPLE to assemble for another processor.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "out");
const sdkWorker = "node_modules/@temporalio/worker/lib";
const bridge = "node_modules/@temporalio/core-bridge";

const TRIPLES = { x64: "x86_64-unknown-linux-gnu", arm64: "aarch64-unknown-linux-gnu" };
const triple = process.env.TRIPLE || TRIPLES[process.arch];
if (triple === undefined) throw new Error(`no image is built for ${process.arch}; set TRIPLE`);

// The SDK loads its bundler, and with it webpack and swc (50 MB), even when the workflows come bundled.
const BUNDLER = `${sdkWorker}/workflow/bundler.js`;
const BUNDLER_STUB = `'use strict';
// Stands in for the SDK's bundler: in this image the workflows are bundled already.
const unavailable = () => {
  throw new Error('workflows are bundled when the image is built; pass workflowBundle, not workflowsPath');
};
exports.defaultWorkflowInterceptorModules = [];
exports.allowedBuiltinModules = [];
exports.disallowedBuiltinModules = [];
exports.disallowedModules = [];
exports.moduleMatches = (userModule, modules) =>
  modules.some((module) => userModule === module || userModule.startsWith(\`\${module}/\`));
exports.WorkflowCodeBundler = class WorkflowCodeBundler {
  constructor() {
    unavailable();
  }
};
exports.bundleWorkflowCode = async () => unavailable();
`;

const ENTRY_POINTS = [
  "lib/main.js",
  "lib/codec-server/main.js",
  // Run from the image by the replay gate.
  "lib/cli/replay.js",
  // Loaded by path at run time, so not to be seen from these.
  "lib/codec/failure-converter.js",
  `${sdkWorker}/workflow/workflow-worker-thread.js`,
];

const RUNTIME_FILES = [
  "lib/workflow-bundle.js",
  "node_modules/source-map/lib/mappings.wasm",
  `${bridge}/releases/${triple}/index.node`,
];

const posix = (path) => path.split(sep).join("/");

async function reachableFiles() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRY_POINTS,
    outdir: out,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node20",
    conditions: [],
    mainFields: ["main"],
    logLevel: "error",
    plugins: [
      {
        name: "stub-bundler",
        setup: ({ onLoad }) =>
          onLoad({ filter: /bundler\.js$/ }, ({ path }) =>
            posix(relative(root, path)) === BUNDLER ? { contents: BUNDLER_STUB, loader: "js" } : undefined,
          ),
      },
    ],
  });
  return Object.keys(metafile.inputs).filter((file) => !file.includes(":") && !file.startsWith(".."));
}

/** Every package.json from a file up to its package (a nested one may switch the module type), and the licences. */
function* companions(file) {
  if (!file.startsWith("node_modules/")) {
    if (existsSync(join(root, `${file}.map`))) yield `${file}.map`;
    return;
  }
  for (let folder = dirname(file); !/(^|\/)node_modules(\/@[^/]+)?$/.test(folder); folder = dirname(folder)) {
    const names = readdirSync(join(root, folder));
    if (names.includes("package.json")) yield `${folder}/package.json`;
    yield* names
      .filter((name) => /^(licen[cs]e|notice|copying)(\.|$)/i.test(name))
      .map((name) => `${folder}/${name}`);
  }
}

function copy(file) {
  const target = resolve(out, file);
  mkdirSync(dirname(target), { recursive: true });
  if (file === BUNDLER) writeFileSync(target, BUNDLER_STUB);
  else copyFileSync(join(root, file), target);
}

rmSync(out, { recursive: true, force: true });
const traced = [...(await reachableFiles()), ...RUNTIME_FILES];
const files = new Set(["package.json", ...traced, ...traced.flatMap((file) => [...companions(file)])]);
[...files].sort().forEach(copy);
console.log(`${files.size} files for ${triple} in ${relative(process.cwd(), out) || "."}`);
