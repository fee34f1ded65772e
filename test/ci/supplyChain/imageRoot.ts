import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Makes the root filesystem of a small worker image, as distroless images are made. */
export function imageRoot(more: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "temporal-stack-image-"));
  const manifest = (name: string, version: string) => JSON.stringify({ name, version });
  const files: Record<string, string> = {
    "usr/lib/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
    "var/lib/dpkg/status.d/libc6":
      "Package: libc6\nVersion: 2.41-12\nArchitecture: amd64\nSource: glibc\nMaintainer: GNU Libc Maintainers\n",
    "var/lib/dpkg/status.d/libc6.md5sums": "0123  usr/lib/libc.so.6\n",
    "var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2025b-4\nArchitecture: all\n",
    "nodejs/bin/node": "\x7fELF https://nodejs.org/download/release/v24.21.0/node-v24.21.0.tar.gz \0",
    "app/lib/workflow-bundle.js": '"./node_modules/@scope/bundled/lib/index.js": () => {}',
    "app/node_modules/a/package.json": manifest("a", "1.0.0"),
    "app/node_modules/a/dist/esm/package.json": '{"type":"module"}',
    "app/node_modules/a/fixtures/package.json": manifest("never-installed", "9.9.9"),
    "app/node_modules/a/node_modules/@scope/b/package.json": manifest("@scope/b", "2.0.0"),
    ...more,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  // A scan that follows links never comes back, or goes through the machine that it runs on.
  symlinkSync(".", join(root, "app/node_modules/loop"));
  symlinkSync("/", join(root, "app/node_modules/a/machine"));
  return root;
}
