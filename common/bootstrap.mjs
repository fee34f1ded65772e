// The first step of every command: it runs on a fresh clone, so it may use nothing but Node itself.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const [command, ...args] = process.argv.slice(2);

const { engines } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
const [major, minor] = process.versions.node.split(".").map(Number);
const [wantedMajor, wantedMinor] = engines.node.replace(/^>=/, "").split(".").map(Number);
if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  console.error(
    `Node ${process.versions.node} is too old: install Node ${engines.node} and run the command again.`,
  );
  process.exit(1);
}

for (const folder of [checkout, join(checkout, "worker")]) installDependencies(folder);
if (command !== "dependencies") run(command, args);

/** Runs `npm ci` unless this very lock file was installed before; an interrupted install has no stamp. */
function installDependencies(folder) {
  const digest = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const packages = join(folder, "node_modules");
  const stamp = join(packages, ".installed-lock-sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  if (existsSync(packages) && lstatSync(packages).isSymbolicLink()) {
    // `npm ci` would follow the link and empty the folder behind it.
    console.error(
      `${packages} is a link to ${realpathSync(packages)}, where other packages are installed: ` +
        "remove the link, or install this lock file there, and run the command again.",
    );
    process.exit(1);
  }
  console.log(`installing the npm packages of ${folder === checkout ? "the program" : "the worker"}`);
  const { status } = spawnSync(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: folder, stdio: "inherit" },
  );
  if (status !== 0) {
    console.error(
      `npm ci failed in ${folder}: is the npm registry reachable (npm ping)? Then run the command again.`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, digest);
}

function run(name, rest) {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--require", "sucrase/register/ts", `${name}.ts`, ...rest],
    { cwd: checkout, stdio: "inherit" },
  );
  // The terminal sends Ctrl-C to the whole process group: the child ends in its own time, then this process.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}
