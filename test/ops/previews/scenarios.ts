import type { Change } from "../../e2e/offlineStack";

/** A change of `Pulumi.prod.yaml` whose preview is kept as an example. */
export interface Scenario {
  readonly change: Change;
  /** Change of the file before it was deployed. */
  readonly deployed?: Change;
  /** Whether the policy pack of this checkout runs. */
  readonly policies?: boolean;
}

const disposable: Change = (text) => `${text}  temporal-stack:deletionProtection: "false"\n`;
const anotherDatabase: Change = (text) =>
  text.replace("mode: cluster\n", "mode: cluster\n    name: other-pg\n");

/** What the examples in this folder show; each has a file of events and the reports that are made from it. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  unchanged: { change: (text) => text },
  scaled: {
    change: (text) =>
      text.replace("min: 3", "min: 4").replace("replicas: 2\n    namespace", "replicas: 3\n    namespace"),
  },
  refused: {
    change: (text) =>
      text.replace("historyShards: 512", "historyShards: 1024").replace("size: 50Gi", "size: 40Gi"),
  },
  wrongSetting: { change: (text) => text.replace("min: 3", "min: 30") },
  newVersions: {
    change: (text) =>
      text
        .replace(
          "mode: chart\n",
          "mode: chart\n    images:\n      server: temporalio/server:1.31.3\n      adminTools: temporalio/admin-tools:1.31.3\n",
        )
        .replace("mode: cluster\n", "mode: cluster\n    image: ghcr.io/cloudnative-pg/postgresql:16.16\n"),
  },
  renamedWorkers: { change: (text) => text.replace("name: orders\n", "name: payments\n") },
  lostDatabase: { deployed: disposable, change: (text) => anotherDatabase(disposable(text)) },
  protectedNamespace: {
    change: (text) => `${text}  temporal-stack:namespaces:\n    workers: other-workers\n`,
  },
  policies: { policies: true, change: (text) => text.replace("min: 3", "min: 1") },
};
