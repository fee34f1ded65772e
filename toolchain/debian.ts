import { existsSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
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

/** Installs Debian's packages for the local cluster, unless they are there. */
export async function installDebianPackages(): Promise<void> {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name] ?? ""));
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await withoutStartingServices(async () => {
    await apt(["update"], env);
    await apt(["install", "--yes", "--no-install-recommends", ...missing], env);
  });
}

/** Debian starts what it installs; these programs are started here, with settings and folders of their own. */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(SERVICE_POLICY)) return work();
  await writeFile(SERVICE_POLICY, "#!/bin/sh\nexit 101\n");
  await chmod(SERVICE_POLICY, 0o755);
  try {
    await work();
  } finally {
    await rm(SERVICE_POLICY);
  }
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
