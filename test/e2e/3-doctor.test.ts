import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { exitCodes } from "../../common/exitCodes";
import { readDoctorReport } from "../support/doctorReport";
import { eventually } from "../support/eventually";
import { checkout, kubectl, run, succeed } from "./support";

/** On the cluster and stack that the tests before have left, whose policies nobody enforces yet. */
describe("npm run doctor", () => {
  const doctor = (...args: string[]) =>
    run(["npm", "run", "--silent", "doctor", "--", "-s", "local", ...args]);
  const probes = (): Promise<string> =>
    kubectl("get", "namespaces", "--selector=temporal-stack/doctor", "--output=name");
  const nothingLeft = (): Promise<void> =>
    eventually("no namespace of a probe is left", async () => (await probes()) === "");

  async function verdicts(...args: string[]) {
    const { exitCode, output } = await doctor("--json", ...args);
    return { exitCode, ...readDoctorReport(output) };
  }

  /** Starts it, and ends it as soon as its probe is there. */
  async function endedInProbe(signal: "SIGINT" | "SIGKILL"): Promise<number | null> {
    const args = ["--require", "sucrase/register/ts", "ops/doctor.ts", "-s", "local"];
    const child = spawn(process.execPath, args, { cwd: checkout, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await eventually("the probe's namespace is there", async () => (await probes()) !== "");
    child.kill(signal);
    return ended;
  }

  it("has nothing against the stack but that nobody enforces its policies and scales its workers", async () => {
    const { exitCode, of, said } = await verdicts();
    assert.equal(exitCode, exitCodes.failed, said);
    const bad = [...of].filter(([, verdict]) => verdict === "failed" || verdict === "not checked");
    assert.deepEqual(bad, [["enforcement", "failed"]], said);
    assert.equal(of.get("metrics"), "warning", said);
    await nothingLeft();
  });

  it("leaves the probe out when it is told to", async () => {
    const { exitCode, of, said } = await verdicts("--no-probe");
    assert.equal(exitCode, exitCodes.ok, said);
    assert.equal(of.get("enforcement"), "skipped");
    assert.equal(await probes(), "");
  });

  it("is green once policies are enforced and metrics are there", async () => {
    await succeed(["npm", "run", "addons"]);
    const { exitCode, of, said } = await verdicts();
    assert.equal(exitCode, exitCodes.ok, said);
    assert.equal(of.get("enforcement"), "ok", said);
    await eventually(
      "the metrics API is served",
      async () => (await verdicts("--no-probe")).of.get("metrics") === "ok",
    );
    await nothingLeft();
  });

  it("leaves nothing when it is interrupted", async () => {
    assert.equal(await endedInProbe("SIGINT"), exitCodes.interrupted);
    await nothingLeft();
  });

  it("takes away what a killed one has left", async () => {
    await endedInProbe("SIGKILL");
    assert.notEqual(await probes(), "");
    const { of, said } = await verdicts();
    assert.equal(of.get("enforcement"), "ok", said);
    await nothingLeft();
  });

  it("refuses a stack without a file, and a check that there is none of", async () => {
    assert.equal(
      (await run(["npm", "run", "--silent", "doctor", "--", "-s", "elsewhere"])).exitCode,
      exitCodes.usage,
    );
    const { exitCode, output } = await doctor("--skip", "weather");
    assert.equal(exitCode, exitCodes.usage);
    assert.match(output, /settings, versions, backend/);
  });
});
