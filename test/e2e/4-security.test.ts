import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { adminKubeconfig } from "../../local/cluster/native/pki";
import { state } from "../../local/paths";
import { commandPath } from "../../local/toolchain/install";
import { programs } from "../../local/toolchain/programs";
import { kubectl, podsOf, pulumi } from "./support";

const NAMESPACES = ["temporal", "temporal-workers"];

describe("Pod Security restricted", () => {
  for (const namespace of NAMESPACES) {
    it(`is passed by every pod of ${namespace}, asked of the API server itself`, async () => {
      const pods = await podsOf(namespace);
      assert.ok(pods.length > 0);
      for (const { metadata, spec } of pods) {
        const copy = {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: `${metadata.name}-copy`, namespace },
          spec,
        };
        const { exitCode, stderr } = await dryRun(copy);
        assert.equal(exitCode, 0, `${metadata.name}: ${stderr}`);
      }
    });

    it(`refuses a pod that does not meet it in ${namespace}`, async () => {
      const spec = {
        containers: [{ name: "root", image: "busybox", securityContext: { privileged: true } }],
      };
      const { exitCode, stderr } = await dryRun({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "privileged", namespace },
        spec,
      });
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /violates PodSecurity "restricted/);
    });
  }
});

describe("generated secrets", () => {
  it("occur nowhere in state, outputs or logs", async () => {
    const secrets = await secretValues();
    assert.ok(secrets.length > 0, "the stack has no secrets to look for");
    const { output } = await pulumi("stack", "output", "--json");
    const texts = new Map([["stack outputs", output]]);
    for (const folder of [state("backend"), state("log")]) {
      for (const file of filesBelow(folder)) texts.set(file, readFileSync(file, "utf8"));
    }
    for (const namespace of NAMESPACES) {
      for (const { metadata } of await podsOf(namespace)) {
        texts.set(metadata.name, await kubectl("logs", "--namespace", namespace, metadata.name));
      }
    }
    const leaks = [...texts].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
    assert.deepEqual(
      leaks.map(([place]) => place),
      [],
    );
  });

  it("are kept on this machine in files that only their owner reads", () => {
    for (const file of [state("passphrase"), ...filesBelow(state("codec-keys"))]) {
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
  });
});

async function dryRun(manifest: object): Promise<{ exitCode?: number; stderr: string }> {
  return execa(
    commandPath(programs.kubernetes, "kubectl"),
    ["--kubeconfig", adminKubeconfig, "create", "--dry-run=server", "--filename", "-"],
    { input: JSON.stringify(manifest), reject: false },
  );
}

const secretList = z.object({
  items: z.array(z.object({ type: z.string(), data: z.record(z.string(), z.string()).default({}) })),
});

/** Every secret value of the stack in each form in which it could be written down. */
async function secretValues(): Promise<string[]> {
  const values: string[] = [];
  for (const namespace of NAMESPACES) {
    const { items } = secretList.parse(
      JSON.parse(await kubectl("get", "secrets", "-n", namespace, "-o", "json")),
    );
    for (const encoded of items.flatMap(({ data }) => Object.values(data))) {
      const stored = Buffer.from(encoded, "base64").toString("utf8");
      const key = Buffer.from(stored, "base64");
      values.push(encoded, stored, key.toString("hex"), key.toString("base64url"));
    }
  }
  return values;
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
