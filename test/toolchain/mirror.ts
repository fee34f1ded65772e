import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { root } from "../local/folders";

/** What is served: whole, or with the connection cut in the middle. */
type Served = Buffer | string | { readonly cutOff: Buffer };

/** A mirror of download sites on the loopback address: `https://host/path` is found as `/host/path`. */
export class Mirror {
  private readonly files = new Map<string, Served>();
  private readonly server = createServer(({ url, method }, response) => {
    const served = this.files.get(url ?? "");
    if (served === undefined) {
      response.writeHead(404).end();
    } else if (typeof served === "string" || Buffer.isBuffer(served)) {
      response.end(method === "HEAD" ? undefined : served);
    } else {
      response.writeHead(200, { "content-length": served.cutOff.length });
      response.write(served.cutOff.subarray(0, served.cutOff.length / 2), () => response.destroy());
    }
  });

  /** Starts it, and makes it the place that downloads come from. */
  async open(): Promise<void> {
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    const { port } = this.server.address() as AddressInfo;
    process.env["TEMPORAL_STACK_DOWNLOADS"] = `http://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    delete process.env["TEMPORAL_STACK_DOWNLOADS"];
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  serve(url: string, content: Served): void {
    this.files.set(url.replace(/^https:\/\//, "/"), content);
  }

  clear(): void {
    this.files.clear();
  }
}

/** A gzipped tar archive with these members and one that nobody asked for. */
export function archiveOf(members: Readonly<Record<string, string>>): Buffer {
  const folder = mkdtempSync(join(root, "archive-"));
  for (const [name, content] of Object.entries({ ...members, LICENSE: "as is" })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const file = `${folder}.tar.gz`;
  const { status } = spawnSync("tar", ["--create", "--gzip", "--file", file, "--directory", folder, "."]);
  if (status !== 0) throw new Error("tar failed");
  return readFileSync(file);
}

export const hashOf = (content: Buffer | string, algorithm = "sha256"): string =>
  createHash(algorithm).update(content).digest("hex");
