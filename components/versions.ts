/**
 * Every version that this project pins, once. Plain data without imports, so that the program, the
 * local toolchain, the tests and update bots read the same file.
 */

/** A container image: where it is, which tag people know it by and which content that must be. */
export interface ImagePin {
  readonly repository: string;
  readonly tag: string;
  /** Digest of the multi-platform index; absent only where none could be verified at release time. */
  readonly digest?: `sha256:${string}`;
}

/** Command line tools and cluster programs, by the version that their own release carries. */
export const tools = {
  /** Pulumi CLI and engine. */
  pulumi: "3.259.0",
  /** The Kubernetes release of the local cluster, and the oldest one that the program is tested with. */
  kubernetes: "1.34.9",
  coredns: "1.15.0",
  /** Temporal CLI: the dev server of stack `local`. */
  temporalCli: "1.5.1",
  /** Temporal server and its SQL tool: stacks with `temporal.mode: chart`. */
  temporalServer: "1.31.2",
  temporalUi: "2.54.1",
  cloudNativePg: "1.30.0",
  localPathProvisioner: "0.0.30",
  metricsServer: "0.9.0",
  kubeNetworkPolicies: "1.1.0",
  kind: "0.33.0",
  /** Node.js of the worker image; the program itself runs on 20.19 and newer. */
  node: "24.21.0",
  actionlint: "1.7.12",
} as const satisfies Readonly<Record<string, string>>;

/** Pulumi resource plugins; each equals the version of its npm package. */
export const plugins = {
  kubernetes: "4.25.0",
  docker: "5.2.0",
  random: "4.21.2",
} as const satisfies Readonly<Record<string, string>>;

/** Helm charts, by the version that their repositories list. */
export const charts = {
  temporal: { repository: "https://go.temporal.io/helm-charts", version: "1.6.0" },
  cloudNativePg: { repository: "https://cloudnative-pg.github.io/charts", version: "0.29.0" },
} as const satisfies Readonly<Record<string, { readonly repository: string; readonly version: string }>>;

/** Container images. */
export const images = {
  /** Temporal CLI image: `temporal server start-dev`. Its tag has no published digest to check against. */
  temporalCli: {
    repository: "temporalio/temporal",
    tag: "1.5.1",
  },
  /** Images of the Temporal chart's pods and jobs. */
  temporalServer: { repository: "temporalio/server", tag: "1.31.2" },
  temporalAdminTools: { repository: "temporalio/admin-tools", tag: "1.31.2" },
  temporalUi: { repository: "temporalio/ui", tag: "2.54.1" },
  /** Postgres operator. */
  cloudNativePg: { repository: "ghcr.io/cloudnative-pg/cloudnative-pg", tag: "1.30.0" },
  /** Stage that compiles the worker; glibc, as the Temporal core library needs. */
  workerBuild: {
    repository: "node",
    tag: "24.21.0-trixie-slim",
    digest: "sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe",
  },
  /** Stage that runs the worker: no shell, uid 65532. Distroless publishes no Node patch tags. */
  workerRuntime: {
    repository: "gcr.io/distroless/nodejs24-debian13",
    tag: "nonroot",
    digest: "sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e",
  },
} as const satisfies Readonly<Record<string, ImagePin>>;
