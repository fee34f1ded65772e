import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { root } from "./folders";

const reportSchema = z.looseObject({ refusal: z.string() });

describe("the cable to the local node", () => {
  it("belongs to one cluster: another one is refused and does not take it for its own", async function () {
    if (process.getuid?.() !== 0 || !["/usr/bin/catatonit", "/sbin/ip"].every((path) => existsSync(path))) {
      console.warn("NOT TESTED: network namespaces need root, catatonit and iproute2");
      this.skip();
    }
    const script = ["--require", "sucrase/register/ts", join(__dirname, "cable.ts")];
    const { stdout } = await execa("unshare", ["--net", process.execPath, ...script], {
      env: { TEMPORAL_STACK_STATE: join(root, "cable") },
    });
    const { refusal, ...report } = reportSchema.parse(JSON.parse(stdout));
    assert.deepEqual(report, { before: false, first: true, second: false, after: false });
    assert.match(refusal, /another state folder runs on this machine: set TEMPORAL_STACK_STATE/);
  });
});
