import type { LockedPackage, Lockfile } from "./lockfile";

/** Where every package comes from. */
const REGISTRY = "https://registry.npmjs.org/";

/** SHA-512, base64. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/**
 * What is wrong with a lock file: anything that npm would install unverified, or from elsewhere, or that would run a
 * script which nobody has looked at.
 *
 * @param allowedScripts names of packages whose install script is known; it is not run either
 * @returns one line for each fault
 */
export function lockfileProblems(lockfile: Lockfile, allowedScripts: readonly string[]): string[] {
  const faults = lockfile.packages.flatMap((locked) =>
    faultsOf(locked, lockfile, allowedScripts).map((fault) => `${locked.path}: ${fault}`),
  );
  if (lockfile.lockfileVersion === 3) return faults;
  return [`lockfileVersion is ${lockfile.lockfileVersion}, expected 3`, ...faults];
}

function faultsOf(locked: LockedPackage, lockfile: Lockfile, allowedScripts: readonly string[]): string[] {
  const faults: string[] = [];
  const { path, name, version, resolved, integrity, link, inBundle, hasInstallScript } = locked;
  if (link || !path.startsWith("node_modules/")) faults.push("is a folder of this machine, no package");
  if (version === undefined) faults.push("has no version");
  // npm leaves the address out where it is told to; it then takes the registry that is configured.
  if (resolved !== undefined && resolved !== addressOf(name, version ?? "")) {
    faults.push(
      resolved.startsWith(REGISTRY)
        ? `is resolved to ${resolved}, which is another package`
        : `is resolved to ${resolved}, not to ${REGISTRY}`,
    );
  }
  if (inBundle) {
    if (!isInside(path, lockfile)) faults.push("says that it is bundled, but no package is around it");
  } else if (!INTEGRITY.test(integrity ?? "")) {
    faults.push(integrity === undefined ? "has no integrity" : `its integrity ${integrity} is no SHA-512`);
  }
  if (hasInstallScript && !allowedScripts.includes(name)) {
    faults.push("has an install script that nobody has allowed");
  }
  return faults;
}

const addressOf = (name: string, version: string): string =>
  `${REGISTRY}${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;

/** Whether a package is part of another one's archive, which has an integrity of its own. */
const isInside = (path: string, { packages }: Lockfile): boolean =>
  packages.some(
    (other) => !other.inBundle && other.integrity !== undefined && path.startsWith(`${other.path}/`),
  );
