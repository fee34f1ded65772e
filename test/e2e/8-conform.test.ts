import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { exitCodes } from "../../common/exitCodes";
import { recordedCluster } from "../../common/localStack";
import { docker } from "../../common/imageEngine";
import { readDoctorReport } from "../support/doctorReport";
import { eventually } from "../support/eventually";
import { writePythonWorker } from "../support/pythonWorker";
import { kubectl, pulumi, run } from "./support";

const machineSchema = z.object({ baseImages: z.object({ build: z.string(), runtime: z.string() }) });

/** On the cluster and stack that the tests before have left. */
describe("npm run conform", () => {
  let sample: string;
  let base: string;

  before(async () => {
    const { output } = await pulumi("stack", "output", "workerImage");
    sample = output.trim().split("\n").at(-1) ?? "";
    base = machineSchema.parse(recordedCluster()?.cluster?.settings["workerImage"]).baseImages.build;
  });
  after(() =>
    eventually("no namespace of a trial is left", async () => {
      const names = ["get", "namespaces", "--selector=temporal-stack/conform", "--output=name"];
      return (await kubectl(...names)) === "";
    }),
  );

  async function conform(image: string) {
    const args = ["--", "-s", recordedCluster()?.stack ?? "", "--image", image, "--json"];
    const { exitCode, output } = await run(["npm", "run", "--silent", "conform", ...args]);
    return { exitCode, ...readDoctorReport(output) };
  }

  /** @returns the image by digest, in the registry of the cluster */
  async function push(name: string, args: readonly string[], input?: string): Promise<string> {
    const repository = `${sample.replace(/@.*$/, "")}-${name}`;
    const tag = `${repository}:e2e`;
    await docker(["build", "--network=host", "--tag", tag, ...args], input === undefined ? {} : { input });
    await docker(["push", "--quiet", tag]);
    const digests = await docker(["inspect", "--format", '{{join .RepoDigests "\\n"}}', tag]);
    const pinned = digests.split("\n").find((line) => line.startsWith(`${repository}@`));
    assert.ok(pinned, digests);
    return pinned;
  }

  it("has nothing against the sample", async () => {
    const { exitCode, of, said } = await conform(sample);
    assert.equal(exitCode, exitCodes.ok, said);
    for (const check of ["image", "start", "connection", "health", "metrics", "shutdown", "build"])
      assert.equal(of.get(check), "ok", said);
  });

  it("has nothing against the worker in Python", async () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-python-"));
    writePythonWorker(folder);
    const image = await push("python", ["--build-arg", `BUILD_IMAGE=${base}`, folder]);
    rmSync(folder, { recursive: true });
    const { exitCode, of, said } = await conform(image);
    assert.equal(exitCode, exitCodes.ok, said);
    for (const check of ["image", "start", "connection", "health", "metrics", "shutdown", "build"])
      assert.equal(of.get(check), "ok", said);
  });

  it("says what an image of root breaks that writes to its root file system", async () => {
    const dockerfile = `FROM ${base}\nENTRYPOINT ["/bin/sh", "-c", "touch /started && sleep 600"]`;
    const { exitCode, of, said } = await conform(await push("broken", ["-"], dockerfile));
    assert.equal(exitCode, exitCodes.failed, said);
    assert.deepEqual(
      ["image", "start", "connection", "health"].map((check) => of.get(check)),
      ["warning", "failed", "failed", "not checked"],
      said,
    );
    assert.match(said, /Read-only file system|Permission denied/);
  });
});
