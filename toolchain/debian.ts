import { existsSync, readFileSync, rmSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";

/** Each package with a file by which its presence is known. */
const packages: Readonly<Record<string, string>> = {
  catatonit: "/usr/bin/catatonit",
  conntrack: "/usr/sbin/conntrack",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  debootstrap: "/usr/sbin/debootstrap",
  "docker-registry": "/usr/bin/docker-registry",
  "docker.io": "/usr/sbin/dockerd",
  "etcd-server": "/usr/bin/etcd",
  iproute2: "/sbin/ip",
  ipset: "/usr/sbin/ipset",
  iptables: "/usr/sbin/iptables",
  procps: "/sbin/sysctl",
};

const SERVICE_POLICY = "/usr/sbin/policy-rc.d";
/** Tells ours from a policy of the machine's own, as containers have one. */
const OWN_POLICY = "# temporal-stack: only while npm run up installs packages";

/** Installs Debian's packages for the local cluster, unless they are there. */
export async function installDebianPackages(): Promise<void> {
  removeServicePolicy();
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name] ?? ""));
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await withoutStartingServices(async () => {
    await apt(["update"], env);
    await apt(["install", "--yes", "--no-install-recommends", ...missing], env);
  });
}

/**
 * Debian starts what it installs; these programs are started here, with settings and folders of their own. The policy
 * goes with the work, and with this process when it is interrupted; what a killed one leaves, the next run removes.
 *
 * @param policy for tests: another path than Debian's
 */
export async function withoutStartingServices(
  work: () => Promise<void>,
  policy: string = SERVICE_POLICY,
): Promise<void> {
  removeServicePolicy(policy);
  if (existsSync(policy)) return work();
  const remove = (): void => removeServicePolicy(policy);
  process.on("exit", remove);
  try {
    await writeFile(policy, `#!/bin/sh\n${OWN_POLICY}\nexit 101\n`);
    await chmod(policy, 0o755);
    await work();
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** Removes the policy that an interrupted installation left, and no other. */
export function removeServicePolicy(policy: string = SERVICE_POLICY): void {
  if (existsSync(policy) && readFileSync(policy, "utf8").includes(OWN_POLICY)) rmSync(policy);
}

async function apt(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const result = await execa("apt-get", ["--quiet", ...args], { env, reject: false, all: true });
  if (result.failed) {
    throw new Failure(
      `apt-get ${args[0] ?? ""} failed`,
      "check that Debian's package mirror can be reached, then run the command again",
      lastLines(result.all),
    );
  }
}
