import { copyFileSync, cpSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../..");

/** Makes the folder from which the image of the conformance worker is built: its codec is that of the documented client. */
export function writePythonWorker(folder: string): void {
  cpSync(join(root, "test/fixtures/pythonWorker"), folder, { recursive: true });
  copyFileSync(join(root, "worker/test/examples/client.py"), join(folder, "client.py"));
}
