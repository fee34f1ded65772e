import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./folders";
import { state } from "../../common/paths";
import { recordSysctls, restoreSysctls } from "../../local/cluster/native/sysctls";

describe("the machine's kernel settings", () => {
  const folder = join(root, "proc-sys");
  const before = { "vm/overcommit_memory": "0", "kernel/panic": "0", "kernel/panic_on_oops": "0" };
  const set = (values: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(values)) writeFileSync(join(folder, name), `${value}\n`);
  };
  const values = (): Record<string, string> =>
    Object.fromEntries(
      Object.keys(before).map((name) => [name, readFileSync(join(folder, name), "utf8").trim()]),
    );
  const asKubelet = { "vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1" };

  beforeEach(() => {
    for (const path of ["vm", "kernel/random"]) mkdirSync(join(folder, path), { recursive: true });
    mkdirSync(state(), { recursive: true });
    rmSync(state("sysctls.json"), { force: true });
    set({ ...before, "kernel/random/boot_id": "first" });
  });

  it("are put back as the kubelet found them, also after it was started twice", async () => {
    await recordSysctls(folder);
    set(asKubelet);
    await recordSysctls(folder);
    await restoreSysctls(folder);
    assert.deepEqual(values(), before);
    assert.equal(existsSync(state("sysctls.json")), false);
  });

  it("stay where somebody has changed one since", async () => {
    await recordSysctls(folder);
    set({ ...asKubelet, "kernel/panic": "60" });
    await restoreSysctls(folder);
    assert.deepEqual(values(), { ...before, "kernel/panic": "60" });
  });

  it("are those of the boot: what was recorded before a reboot is not put back, and recorded anew", async () => {
    await recordSysctls(folder);
    set({ ...asKubelet, "kernel/random/boot_id": "second" });
    await restoreSysctls(folder);
    assert.deepEqual(values(), asKubelet);
    set({ ...before, "kernel/random/boot_id": "third" });
    await recordSysctls(folder);
    set({ ...before, "kernel/panic": "30", "kernel/random/boot_id": "fourth" });
    await recordSysctls(folder);
    set(asKubelet);
    await restoreSysctls(folder);
    assert.deepEqual(values(), { ...before, "kernel/panic": "30" });
  });

  it("are left alone without a record", async () => {
    set(asKubelet);
    await restoreSysctls(folder);
    assert.deepEqual(values(), asKubelet);
  });
});
