import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { z } from "zod";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { parseOptions, splitArguments } from "../../../toolchain/plugins/languageHost/options";
import { outcome } from "../../../toolchain/plugins/languageHost/runProgram";
import { call, type RunningPlugin, startPlugin, VERSIONS, workFolder } from "./pluginProcess";

const ENGINE = "127.0.0.1:65001";
const project = join(workFolder, "project");
const record = join(project, "record.json");

function write(path: string, content: unknown): void {
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

/** Stands where the SDK's entry points are and records how it was started; the real SDK runs in the e2e. */
const ENTRY_POINT = `
require("node:fs").writeFileSync(${JSON.stringify(record)}, JSON.stringify({
  args: process.argv.slice(2), nodeArgs: process.execArgv, cwd: process.cwd(), env: process.env,
}));
const [kind, value] = process.argv.at(-1).split("=");
process.stdout.write("out\\n");
if (kind === "exit") process.exit(Number(value));
if (kind === "hang") setInterval(() => {}, 1000);
`;

function programInfo(options: Parameters<typeof Struct.fromJavaScript>[0] = {}): language.ProgramInfo {
  const info = new language.ProgramInfo();
  info.setRootDirectory(project);
  info.setProgramDirectory(project);
  info.setEntryPoint(".");
  info.setOptions(Struct.fromJavaScript(options));
  return info;
}

const startedSchema = z.object({
  args: z.array(z.string()),
  nodeArgs: z.array(z.string()),
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
});

function started(): z.infer<typeof startedSchema> {
  return startedSchema.parse(JSON.parse(readFileSync(record, "utf8")));
}

describe("language host", () => {
  let plugin: RunningPlugin;
  let client: LanguageRuntimeClient;

  function runRequest(argument: string, info = programInfo()): language.RunRequest {
    const request = new language.RunRequest();
    request.setInfo(info);
    request.setProject("temporal-stack");
    request.setStack("local");
    request.setOrganization("organization");
    request.setMonitorAddress("127.0.0.1:65002");
    request.setParallel(16);
    request.setDryrun(true);
    request.getConfigMap().set("temporal-stack:worker", '{"replicas":1}');
    request.setConfigsecretkeysList(["temporal-stack:token"]);
    request.setArgsList([argument]);
    return request;
  }

  const run = (argument: string, info?: language.ProgramInfo) =>
    call<language.RunResponse>((callback) => client.run(runRequest(argument, info), callback));

  before(async () => {
    for (const entry of ["run", "run-policy-pack", "run-plugin"]) {
      write(`node_modules/@pulumi/pulumi/cmd/${entry}/index.js`, ENTRY_POINT);
    }
    write("node_modules/@pulumi/pulumi/package.json", { name: "@pulumi/pulumi", version: "3.248.0" });
    write("node_modules/@pulumi/random/package.json", {
      name: "@pulumi/random",
      version: "4.21.2",
      pulumi: { resource: true },
    });
    write("node_modules/other/package.json", {
      name: "other",
      version: "1.0.0",
      pulumi: { resource: true, name: "special", version: "v2.0.0", server: "https://example.com" },
    });
    write("node_modules/other/node_modules/@pulumi/random/package.json", {
      name: "@pulumi/random",
      version: "4.0.0",
      pulumi: { resource: true, name: "random" },
    });
    write("node_modules/unrelated/package.json", { name: "unrelated", keywords: ["pulumi"] });
    write("package.json", { name: "project", dependencies: { "@pulumi/random": "^4.0.0" } });
    write("package-lock.json", {
      packages: {
        "": { name: "project" },
        "node_modules/@pulumi/random": { version: "4.21.2" },
        "node_modules/other": { version: "1.0.0" },
        "node_modules/other/node_modules/@pulumi/random": { version: "4.0.0" },
      },
    });
    plugin = await startPlugin("nodejs", {
      engine: ENGINE,
      environment: { PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
    });
    client = new LanguageRuntimeClient(plugin.address, credentials.createInsecure());
  });

  after(async () => {
    client.close();
    await plugin.stop();
  });

  it("gives the CLI's version", async () => {
    const info = await call<PluginInfo>((callback) => client.getPluginInfo(new Empty(), callback));
    assert.equal(info.getVersion(), VERSIONS.cli);
  });

  it("reports the plugins of all installed packages", async () => {
    const request = new language.GetRequiredPackagesRequest();
    request.setInfo(programInfo());
    const response = await call<language.GetRequiredPackagesResponse>((callback) =>
      client.getRequiredPackages(request, callback),
    );
    const packages = response.getPackagesList().map((entry) => entry.toObject());
    assert.deepEqual(
      packages
        .map(({ kind, name, version, server }) => [kind, name, version, server].join(" ").trim())
        .sort(),
      ["resource random v4.0.0", "resource random v4.21.2", "resource special v2.0.0 https://example.com"],
    );
  });

  it("starts the program with everything that the SDK reads", async () => {
    const response = await run(
      "exit=0",
      programInfo({ nodeargs: "--max-old-space-size=256", tsconfig: "ts.json" }),
    );
    assert.equal(response.getError(), "");
    assert.equal(response.getBail(), false);
    const { args, nodeArgs, cwd, env } = started();
    assert.deepEqual(nodeArgs, ["--max-old-space-size=256"]);
    assert.deepEqual(args, [
      ...["--monitor", "127.0.0.1:65002", "--engine", ENGINE, "--organization", "organization"],
      ...["--project", "temporal-stack", "--root-directory", project, "--stack", "local", "--pwd", project],
      ...["--dry-run", "--parallel", "16", ".", "exit=0"],
    ]);
    assert.equal(cwd, project);
    assert.equal(env["PULUMI_CONFIG"], '{"temporal-stack:config:worker":"{\\"replicas\\":1}"}');
    assert.equal(env["PULUMI_CONFIG_SECRET_KEYS"], '["temporal-stack:token"]');
    assert.equal(env["PULUMI_NODEJS_TYPESCRIPT"], "true");
    assert.equal(env["PULUMI_NODEJS_TSCONFIG_PATH"], "ts.json");
    assert.equal(env["PULUMI_NODEJS_TRANSPILE_ONLY"], "true");
  });

  it("tells the engine how the program ended", async () => {
    const logged = await run("exit=32", programInfo({ typescript: false }));
    assert.deepEqual([logged.getBail(), logged.getError()], [true, ""]);
    assert.equal(started().env["PULUMI_NODEJS_TYPESCRIPT"], undefined);
    assert.match((await run("exit=3")).getError(), /non-zero exit code: 3/);
    assert.match(outcome(null, "SIGABRT").getError(), /out of memory.*nodeargs/);
    assert.match(outcome(null, "SIGKILL").getError(), /ended by SIGKILL/);
  });

  it("refuses wrong runtime options and names a missing SDK", async () => {
    const wrong = await run("exit=0", programInfo({ typescript: "yes", packagemanager: "bun" }));
    assert.match(
      wrong.getError(),
      /typescript must be a boolean, got "yes"; .*packagemanager must be auto or npm/,
    );
    const elsewhere = programInfo();
    elsewhere.setProgramDirectory("/");
    assert.match((await run("exit=0", elsewhere)).getError(), /cmd\/run is not installed for \/: run npm ci/);
    assert.throws(() => parseOptions({ nodeargs: 1 }), /nodeargs must be a string, got 1/);
    assert.deepEqual(splitArguments(`--a "b c" d\\ e 'f "g"' --h="i j"`), [
      "--a",
      "b c",
      "d e",
      'f "g"',
      "--h=i j",
    ]);
  });

  it("interrupts the program when the engine cancels", async () => {
    writeFileSync(record, "");
    const response = run("hang");
    while (readFileSync(record, "utf8") === "") await sleep(10);
    await call<Empty>((callback) => client.cancel(new Empty(), callback));
    assert.match((await response).getError(), /ended by SIGINT/);
  });

  it("runs policy packs inside their folder and passes their output on", async () => {
    const request = new language.RunPluginRequest();
    request.setInfo(programInfo());
    request.setKind("analyzer");
    request.setPwd("/");
    request.setArgsList([ENGINE]);
    request.setEnvList(["PATH=/usr/bin", "WITH_EQUALS=a=b"]);
    const parts: language.RunPluginResponse[] = [];
    await new Promise<void>((done, failed) => {
      client
        .runPlugin(request)
        .on("data", (part: language.RunPluginResponse) => parts.push(part))
        .on("error", failed)
        .on("end", done);
    });
    assert.deepEqual(started().args, [ENGINE, project]);
    assert.equal(started().cwd, project);
    assert.equal(started().env["WITH_EQUALS"], "a=b");
    assert.equal(Buffer.from(parts[0]?.getStdout() ?? "").toString(), "out\n");
    assert.equal(parts.at(-1)?.getExitcode(), 0);
  });

  it("lists dependencies, direct or all", async () => {
    const names = async (transitive: boolean) => {
      const request = new language.GetProgramDependenciesRequest();
      request.setInfo(programInfo());
      request.setTransitivedependencies(transitive);
      const response = await call<language.GetProgramDependenciesResponse>((callback) =>
        client.getProgramDependencies(request, callback),
      );
      return response.getDependenciesList().map((entry) => `${entry.getName()} ${entry.getVersion()}`);
    };
    assert.deepEqual(await names(false), ["@pulumi/random 4.21.2"]);
    assert.deepEqual(await names(true), ["@pulumi/random 4.21.2", "other 1.0.0", "@pulumi/random 4.0.0"]);
  });
});
