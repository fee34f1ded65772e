import { BARMAN_PLUGIN_RELEASE } from "./barmanPluginManifests";
import { CERT_MANAGER_RELEASE } from "./certManagerManifests";
import { OPERATOR_RELEASE } from "./postgresOperatorManifests";
import { RELEASE } from "./temporalNames";

/** Names of the Helm releases of this program. */
export const RELEASE_NAMES: readonly string[] = [
  RELEASE,
  OPERATOR_RELEASE,
  BARMAN_PLUGIN_RELEASE,
  CERT_MANAGER_RELEASE,
];

/**
 * Where a Release gets its chart: a classic repository is an option of its own, an OCI registry is part of
 * the chart's name.
 */
export function chartSource(repository: string, chart: string, version: string) {
  return repository.startsWith("oci://")
    ? { chart: `${repository}/${chart}`, version }
    : { chart, version, repositoryOpts: { repo: repository } };
}
