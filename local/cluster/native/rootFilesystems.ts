import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Failure } from "../../../common/failure";
import { cache, checkout } from "../../../common/paths";

const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** The shared libraries and data that programs need, as the distroless images choose them. */
const basePackages = ["base-files", "netbase", "tzdata", "libc6", "libgcc-s1", "libstdc++6", "libatomic1"];

/** The packages to build images with, beyond Debian's own minimum. */
const buildPackages = ["ca-certificates", "libatomic1"];

/** A small Debian with a shell, from the same mirror and of the same release as this machine. */
export async function debianRootFilesystem(): Promise<string> {
  return madeOnce("debian", async (folder) => {
    const { codename, mirror } = await debianRelease();
    await execa("debootstrap", [
      ...["--variant=minbase", `--include=${buildPackages.join(",")}`],
      ...[codename, folder, mirror],
    ]);
    // A package proxy often signs with a company's own authority: what this machine trusts, a build trusts.
    await copyFile(CA_BUNDLE, join(folder, CA_BUNDLE));
    await execa("sh", ["-c", "rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/*"], { cwd: folder });
  });
}

/** Libraries, trusted authorities and users, without a shell or a package manager. */
export async function baseRootFilesystem(): Promise<string> {
  return madeOnce("base-2", async (folder) => {
    const downloads = join(folder, ".downloads");
    await mkdir(downloads);
    await execa("apt-get", ["download", ...basePackages], { cwd: downloads });
    // Where distroless images keep it: scanners find there which packages the files are from.
    const records = join(folder, "var/lib/dpkg/status.d");
    await mkdir(records, { recursive: true });
    for (const archive of await readdir(downloads)) {
      await execa("dpkg-deb", ["--extract", join(downloads, archive), folder]);
      const { stdout } = await execa("dpkg-deb", ["--field", join(downloads, archive)]);
      await writeFile(join(records, archive.replace(/_.*/, "")), `${stdout}\n`);
    }
    await rm(downloads, { recursive: true });
    await mkdir(join(folder, "etc/ssl/certs"), { recursive: true });
    await copyFile(CA_BUNDLE, join(folder, CA_BUNDLE));
    // The names and numbers of the published images.
    const users = Object.entries({ root: 0, temporal: 1000, nonroot: 65532 });
    const passwd = users.map(([user, id]) => `${user}:x:${id}:${id}::/home/${user}:/sbin/nologin\n`);
    const group = users.map(([user, id]) => `${user}:x:${id}:\n`);
    await writeFile(join(folder, "etc/passwd"), passwd.join(""));
    await writeFile(join(folder, "etc/group"), group.join(""));
  });
}

/** The Node program and npm of the worker's image, from the npm registry, checked against a lock file. */
export async function nodeDistribution(): Promise<string> {
  const source = join(checkout, "toolchain/node");
  return madeOnce("node-distribution", async (folder) => {
    for (const file of ["package.json", "package-lock.json"])
      await copyFile(join(source, file), join(folder, file));
    await execa("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  });
}

/** Makes a folder whole or not at all, and only once. */
async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = cache("rootfs", name);
  if (existsSync(folder)) return folder;
  const staging = `${folder}.incomplete`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await make(staging);
  await rename(staging, folder);
  return folder;
}

/** This machine's release of Debian, and the mirror that its packages come from. */
export async function debianRelease(): Promise<{ codename: string; mirror: string }> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1];
  const { stdout } = await execa("apt-get", [
    ...["indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Identifier: Packages"],
  ]);
  const mirror = stdout
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, suite, component]) => suite === codename && component === "main")?.[0];
  if (codename === undefined || mirror === undefined) {
    throw new Failure(
      "this machine's Debian release and mirror cannot be told",
      "the local cluster is built on Debian: use another cluster with npm run up -- --context NAME",
    );
  }
  return { codename, mirror };
}
