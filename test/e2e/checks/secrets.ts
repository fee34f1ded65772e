import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { state } from "../../../common/paths";
import { kubectl, podsOf, pulumi } from "../support";

/** Entries of Secrets that are no secret: names, addresses and certificates. */
const PUBLIC = /^(username|user|dbname|host|port|ca\.crt|tls\.crt)$/;

/** Texts below this length stand somewhere by chance. */
const SHORTEST = 8;

const secretList = z.object({
  items: z.array(z.object({ type: z.string(), data: z.record(z.string(), z.string()).default({}) })),
});

/** Where secret values of the stack stand in plain text, of how many that were looked for. */
export async function secretLeaks(
  namespaces: readonly string[],
): Promise<{ secrets: number; leaks: string[] }> {
  const values = await secretValues(namespaces);
  const { output } = await pulumi("stack", "output", "--json");
  const texts = new Map([["stack outputs", output]]);
  for (const folder of [state("backend"), state("log")]) {
    for (const file of filesBelow(folder)) texts.set(file, readFileSync(file, "utf8"));
  }
  for (const namespace of namespaces) {
    for (const { metadata } of await podsOf(namespace)) {
      const log = await kubectl("logs", "--namespace", namespace, metadata.name, "--all-containers");
      texts.set(metadata.name, log);
    }
  }
  const leaks = [...texts].filter(([, text]) => values.some((value) => text.includes(value)));
  return { secrets: values.length, leaks: leaks.map(([place]) => place) };
}

/** Every secret value of the stack in each form in which it could be written down. */
async function secretValues(namespaces: readonly string[]): Promise<string[]> {
  const values: string[] = [];
  for (const namespace of namespaces) {
    const { items } = secretList.parse(
      JSON.parse(await kubectl("get", "secrets", "-n", namespace, "-o", "json")),
    );
    const secrets = items
      .filter(({ type }) => type !== "helm.sh/release.v1")
      .flatMap(({ data }) => Object.entries(data))
      .filter(([key, encoded]) => !PUBLIC.test(key) && encoded !== "");
    for (const [, encoded] of secrets) {
      const stored = Buffer.from(encoded, "base64").toString("utf8");
      const key = Buffer.from(stored, "base64");
      values.push(encoded, stored, key.toString("hex"), key.toString("base64url"));
    }
  }
  return values.filter(({ length }) => length >= SHORTEST);
}

/** Every file below a folder. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
