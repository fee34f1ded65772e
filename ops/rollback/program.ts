import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../../common/failure";

/**
 * Installs the npm packages of a program's own lock file, unless the checkout has just these installed.
 *
 * @param folder the program
 * @param checkout where packages may be installed already
 */
export async function installPackages(folder: string, checkout: string): Promise<void> {
  const installed = join(checkout, "node_modules");
  const stamp = join(installed, ".installed-lock-sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digestOfFile(join(folder, "package-lock.json"))) {
    // One link for each: a link in place of the whole folder is a file that Git would not ignore.
    mkdirSync(join(folder, "node_modules"));
    for (const name of readdirSync(installed)) {
      symlinkSync(join(installed, name), join(folder, "node_modules", name));
    }
    return;
  }
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { failed, all } = await execa("npm", args, { cwd: folder, reject: false, all: true });
  if (failed) {
    throw new Failure(
      "npm ci failed for the program that is to be restored",
      "see whether the npm registry is reachable (npm ping), then run the command again",
      lastLines(all),
    );
  }
}

const digestOfFile = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
