import { readFileSync } from "node:fs";
import { join } from "node:path";
import { coerce, lt, major, minor, parse, satisfies } from "semver";
import { z } from "zod";
import { checkout } from "../../../common/paths";
import { runCli } from "../../../common/pulumi";
import { parseAsEngine } from "../../../settings/engineYaml";
import { tools } from "../../../settings/versions";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

/** `ValidatingAdmissionPolicy`, which limits a deployer, is served from here on (docs/rbac.md). */
const OLDEST_KUBERNETES = "1.30.0";
/** Kubernetes keeps APIs of a stable version: the next two minor releases are taken to serve what is used. */
const MINORS_AHEAD = 2;

const engines = z.object({ engines: z.object({ node: z.string() }) });
const project = z.object({ requiredPulumiVersion: z.string() });

/** Node.js and the Pulumi CLI. */
export const versions: Check = {
  name: "versions",
  about: "Node.js and the Pulumi CLI",
  examine: async ({ cli }) => {
    const { node } = engines.parse(JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"))).engines;
    const { requiredPulumiVersion } = project.parse(
      parseAsEngine(readFileSync(join(checkout, "Pulumi.yaml"), "utf8"), "Pulumi.yaml"),
    );
    return [
      ...nodeFindings(process.versions.node, node),
      ...pulumiFindings(await cliVersion(cli), requiredPulumiVersion),
    ];
  },
};

/** Version of the cluster. */
export const kubernetes: Check = {
  name: "kubernetes",
  about: "version of the cluster",
  examine: async ({ cluster }) => kubernetesFindings(await cluster.version()),
};

/** Undefined if there is no CLI. */
async function cliVersion(cli: Parameters<typeof runCli>[0]): Promise<string | undefined> {
  if (cli.command === undefined) return undefined;
  const { stdout, exitCode } = await runCli(cli, ["version"]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

export function nodeFindings(running: string, range: string): Finding[] {
  return satisfies(running, range)
    ? [ok(`Node.js ${running}`)]
    : [failed(`Node.js ${running} does not satisfy ${range}`, `install Node.js ${range}`)];
}

/**
 * @param found as `v3.259.0`; undefined if there is none
 * @param required range of Pulumi.yaml, which the CLI itself refuses to go below
 */
export function pulumiFindings(found: string | undefined, required: string): Finding[] {
  const pinned = tools.pulumi;
  const remedy = `install Pulumi ${pinned}: https://www.pulumi.com/docs/install/versions/`;
  const version = coerce(found);
  if (version === null)
    return [failed("the Pulumi CLI is not on PATH, or does not tell its version", remedy)];
  if (!satisfies(version, required))
    return [failed(`Pulumi CLI ${version.version} does not satisfy ${required} of Pulumi.yaml`, remedy)];
  if (version.version === pinned) return [ok(`Pulumi CLI ${pinned}`)];
  return major(version) !== major(pinned) || lt(version, pinned)
    ? [warning(`Pulumi CLI ${version.version}; this program is tested with ${pinned}`, remedy)]
    : [ok(`Pulumi CLI ${version.version}, newer than the tested ${pinned}`)];
}

/** @param found as the API server tells it, such as `v1.33.1-eks-123` */
export function kubernetesFindings(found: string): Finding[] {
  const tested = tools.kubernetes;
  const version = parse(found)?.version === undefined ? coerce(found) : coerce(parse(found)?.version);
  if (version === null)
    return [warning(`the cluster's version cannot be read: ${found}`, "see kubectl version")];
  if (lt(version, OLDEST_KUBERNETES))
    return [
      failed(
        `Kubernetes ${version.version} is older than ${OLDEST_KUBERNETES}`,
        "upgrade the cluster: what the program deploys is not served by it",
      ),
    ];
  const [least, most] = [minor(tested), minor(tested) + MINORS_AHEAD];
  if (minor(version) < least || minor(version) > most)
    return [
      warning(
        `Kubernetes ${version.version}; this program is tested with ${tested}`,
        `a cluster of 1.${least} to 1.${most}, or try the change on a cluster like this one first`,
      ),
    ];
  return [ok(`Kubernetes ${version.version}`)];
}
