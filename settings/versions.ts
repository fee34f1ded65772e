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
  /** What the charts' images are made of on this machine: Temporal server and its SQL tool, UI, operator. */
  temporalServer: "1.31.2",
  /** Newer than the image: of that version the checksum database of Go modules knows nothing. */
  temporalUi: "2.54.1",
  cloudNativePg: "1.30.0",
  /** Its resource type only: nothing runs it on this machine yet. */
  barmanPlugin: "0.14.0",
  localPathProvisioner: "0.0.30",
  metricsServer: "0.9.0",
  kubeNetworkPolicies: "1.1.0",
  kind: "0.33.0",
  /** Node.js of the worker image; the program itself runs on 20.19 and newer. */
  node: "24.21.0",
  actionlint: "1.7.12",
  /** Of the same version as in the Kubernetes provider, which `npm run bench -- --prod` compares with it. */
  helm: "3.18.6",
} as const satisfies Readonly<Record<string, string>>;

/** Pulumi resource plugins; each equals the version of its npm package. */
export const plugins = {
  kubernetes: "4.25.0",
  docker: "5.2.0",
  random: "4.21.2",
} as const satisfies Readonly<Record<string, string>>;

/** A Helm chart: where it is, which version, and which archive that must be. */
export interface ChartPin {
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the archive, as its project's repository index has it; absent only where none could be verified. */
  readonly sha256?: string;
}

/** Helm charts of the stacks that run in a cluster for good. */
export const charts = {
  temporal: {
    repository: "https://go.temporal.io/helm-charts",
    name: "temporal",
    version: "1.6.0",
    sha256: "4ea557365bca72e635ae82fc4a93d586df238946e5d5a19eb32a8a24748449f9",
  },
  cloudNativePg: {
    repository: "https://cloudnative-pg.github.io/charts",
    name: "cloudnative-pg",
    version: "0.29.0",
    sha256: "668e065ff53508d58238788fd35b355a925060843629a951df0e6a9362e6d32f",
  },
  /** Of the plugin's 0.13.0; the images below are newer. The checksum of its archive could not be verified. */
  barmanPlugin: {
    repository: "https://cloudnative-pg.github.io/charts",
    name: "plugin-barman-cloud",
    version: "0.7.0",
  },
  /** The checksum of its archive could not be verified; no stack of this repository installs it. */
  certManager: {
    repository: "https://charts.jetstack.io",
    name: "cert-manager",
    version: "v1.21.2",
  },
} as const satisfies Readonly<Record<string, ChartPin>>;

/** Container images. */
export const images = {
  temporalServer: {
    repository: "temporalio/server",
    tag: "1.31.2",
    digest: "sha256:b5ecdb8282bededae2a10c36e8d862e27d0bc2d247fc73c5416025997ab4a1da",
  },
  /** Schema tools and Temporal CLI, of the server's version. */
  temporalAdminTools: {
    repository: "temporalio/admin-tools",
    tag: "1.31.2",
    digest: "sha256:dbc5fcd6ee8f0f4d808bf765af9a87dea9d8a283abfdcfbd2fc148496ba66107",
  },
  /** Its tag has no published digest to check against. */
  temporalUi: {
    repository: "temporalio/ui",
    tag: "2.52.0",
  },
  cloudNativePgOperator: {
    repository: "ghcr.io/cloudnative-pg/cloudnative-pg",
    tag: "1.30.0",
    digest: "sha256:a2701eb97cdd2a34b1fdb2cb51987f544b706e40bec72ae7146cd8580efefebb",
  },
  /** 0.15.0 restores only where the root file system is writable. Its tags have no digest that could be verified. */
  barmanPlugin: {
    repository: "ghcr.io/cloudnative-pg/plugin-barman-cloud",
    tag: "v0.14.0",
  },
  barmanPluginSidecar: {
    repository: "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar",
    tag: "v0.14.0",
  },
  /** Newest major version that Temporal's documentation lists as tested. Brings `psql`, too. */
  postgres: {
    repository: "ghcr.io/cloudnative-pg/postgresql",
    tag: "16.15-standard-trixie",
    digest: "sha256:777ad6774e00fff6514c7e9bd6e892fe148c5db2845532a8f456e42317bfc2d2",
  },
  /** Of cert-manager: none of the tags has a digest that could be verified. */
  certManagerController: {
    repository: "quay.io/jetstack/cert-manager-controller",
    tag: "v1.21.2",
  },
  certManagerWebhook: {
    repository: "quay.io/jetstack/cert-manager-webhook",
    tag: "v1.21.2",
  },
  certManagerCaInjector: {
    repository: "quay.io/jetstack/cert-manager-cainjector",
    tag: "v1.21.2",
  },
  certManagerStartupCheck: {
    repository: "quay.io/jetstack/cert-manager-startupapicheck",
    tag: "v1.21.2",
  },
  certManagerAcmeSolver: {
    repository: "quay.io/jetstack/cert-manager-acmesolver",
    tag: "v1.21.2",
  },
  /** Asks the API server whether the operator's webhook answers. */
  curl: {
    repository: "curlimages/curl",
    tag: "8.16.0",
    digest: "sha256:463eaf6072688fe96ac64fa623fe73e1dbe25d8ad6c34404a669ad3ce1f104b6",
  },
  /** Temporal CLI image: `temporal server start-dev`. Its tag has no published digest to check against. */
  temporalCli: {
    repository: "temporalio/temporal",
    tag: "1.5.1",
  },
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
