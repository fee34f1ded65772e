/**
 * Where a Release gets its chart: a classic repository is an option of its own, an OCI registry is part of
 * the chart's name.
 */
export function chartSource(repository: string, chart: string, version: string) {
  return repository.startsWith("oci://")
    ? { chart: `${repository}/${chart}`, version }
    : { chart, version, repositoryOpts: { repo: repository } };
}
