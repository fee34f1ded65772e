import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { docker } from "./cli";
import type { Image } from "./inputs";

const MANIFEST = "manifest.json";
const manifestSchema = z.tuple([z.looseObject({ Config: z.string() })]);
const configurationSchema = z.looseObject({
  created: z.string(),
  history: z.array(z.looseObject({ created: z.string().optional() })).default([]),
});

/**
 * Does what BuildKit from 0.11 on does with the build argument `SOURCE_DATE_EPOCH`: writes that time into the
 * image's configuration, where an older one writes the time of the build. With it the same sources give the
 * same digest. Layers are left as they are.
 */
export async function applySourceDate({ imageName, build }: Image, signal: AbortSignal): Promise<void> {
  const seconds = build.args["SOURCE_DATE_EPOCH"];
  if (seconds === undefined) return;
  const date = new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
  const created = await docker(["image", "inspect", "--format", "{{.Created}}", imageName], { signal });
  if (Date.parse(created) === Date.parse(date)) return;
  const folder = mkdtempSync(join(tmpdir(), "docker-image-"));
  try {
    const [saved, loaded] = [join(folder, "saved.tar"), join(folder, "loaded.tar")];
    await docker(["image", "save", "--output", saved, imageName], { signal });
    const read = (file: string) => {
      execFileSync("tar", ["-x", "-f", saved, "-C", folder, file]);
      return readFileSync(join(folder, file), "utf8");
    };
    const [manifest] = manifestSchema.parse(JSON.parse(read(MANIFEST)));
    const configuration = dated(read(manifest.Config), date);
    const name = `${createHash("sha256").update(configuration).digest("hex")}.json`;
    writeFileSync(join(folder, name), configuration);
    writeFileSync(join(folder, MANIFEST), JSON.stringify([{ ...manifest, Config: name }]));
    // Without the layers: the engine has them.
    execFileSync("tar", ["-c", "-f", loaded, "-C", folder, MANIFEST, name]);
    await docker(["image", "load", "--input", loaded], { signal });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The configuration as of a time: what has happened later has happened then. */
export function dated(configuration: string, date: string): string {
  const { history, ...rest } = configurationSchema.parse(JSON.parse(configuration));
  const latest = (time = date) => (Date.parse(time) > Date.parse(date) ? date : time);
  return JSON.stringify({
    ...rest,
    created: date,
    history: history.map((entry) => ({ ...entry, created: latest(entry.created) })),
  });
}
