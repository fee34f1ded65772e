import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { contents, runsAs } from "../../common/processes";

describe("processes", () => {
  it("run by their own name, and by no other", () => {
    const name = contents(process.pid, "comm").trim();
    assert.ok(runsAs(process.pid, name));
    assert.equal(runsAs(process.pid, "somebody-else"), !existsSync("/proc/self/comm"));
  });

  it("that have ended do not run, even while nobody has asked for their end", async function () {
    if (!existsSync("/proc/self/comm")) {
      console.error("      NOT TESTED: this system has no /proc");
      this.skip();
    }
    // The shell's child ends first, and the program that takes the shell's place does not ask for it.
    const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(chunk.toString());
      while (!contents(pid, "stat").includes(") Z ")) await delay(5);
      assert.equal(contents(pid, "comm").trim(), "sleep");
      assert.ok(!runsAs(pid, "sleep"));
    } finally {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    }
  });
});
