import type { z } from "zod";
import type { certManager } from "./certManager";
import { clientProblems, type ClientSettings } from "./clients";
import { neededConnections } from "./connectionBudget";
import { rule } from "./fields";
import { type monitoring, monitoringProblems } from "./monitoring";
import type { networkAccess } from "./networkAccess";
import type { payloadEncryption } from "./payloadEncryption";
import type { PostgresSettings } from "./postgres";
import { type scheduling, schedulingProblems } from "./scheduling";
import type { namespaces, temporal } from "./sections";
import { type smoke, smokeProblems } from "./smoke";
import type { stackImages } from "./stackImages";
import { CODEC_VARIABLES } from "./temporalUi";
import { openEgressProblems } from "./workerEgress";
import { runtimeProblems } from "./workerRuntime";
import type { workers } from "./workers";

/** The sections between which there are rules. */
interface Sections {
  readonly clients: readonly ClientSettings[];
  readonly temporal: z.output<typeof temporal>;
  readonly certManager: z.output<typeof certManager>;
  readonly workers: z.output<typeof workers>;
  readonly deletionProtection: boolean;
  readonly scheduling: z.output<typeof scheduling>;
  readonly images: z.output<typeof stackImages>;
  readonly namespaces: z.output<typeof namespaces>;
  readonly monitoring: z.output<typeof monitoring>;
  readonly networkAccess: z.output<typeof networkAccess>;
  readonly payloadEncryption: z.output<typeof payloadEncryption>;
  readonly postgres?: PostgresSettings | undefined;
  readonly smoke: z.output<typeof smoke>;
}

type Problem = ReturnType<typeof rule>;

/** What is wrong between sections that are each right by themselves. */
export function sectionProblems(sections: Sections): Problem[] {
  return [
    ...proxyProblems(sections),
    ...doorProblems(sections),
    ...schedulingProblems(sections),
    ...openEgressProblems(sections.deletionProtection, sections.workers),
    ...postgresProblems(sections),
    ...namespaceProblems(sections),
    ...clientProblems(
      sections,
      namespacesOf(sections).map(({ name }) => name),
    ),
    ...smokeProblems(sections.smoke, sections.workers),
    ...runtimeProblems(sections),
    ...monitoringProblems(sections.monitoring, sections.workers),
  ];
}

/** Variables by which other programs find a proxy. */
const PROXY_VARIABLES = /^(HTTPS?|ALL|GRPC)_PROXY$/;

function proxyProblems({ temporal, workers }: Sections): Problem[] {
  if (temporal.mode !== "external" || temporal.proxy !== undefined) return [];
  return workers.flatMap(({ env = {}, egress }, index) =>
    Object.keys(env)
      // With a way out of its own, the variable is for the group's own requests.
      .filter((name) => PROXY_VARIABLES.test(name) && egress.length === 0)
      .map((name) =>
        rule(
          "is not read by the Temporal SDK, so workers would not reach the frontend by it; set temporal.proxy; for your own requests open the way to the proxy under egress, then this stays",
          ["workers", index, "env", name],
        ),
      ),
  );
}

function doorProblems({ temporal, networkAccess, payloadEncryption }: Sections): Problem[] {
  const problems: Problem[] = [];
  if (networkAccess.codecFrom.length > 0 && payloadEncryption.codecServer === undefined) {
    problems.push(
      rule("opens a codec server that is not there; set payloadEncryption.codecServer or remove it", [
        "networkAccess",
        "codecFrom",
      ]),
    );
  }
  if (temporal.mode === "external") {
    for (const door of ["frontendFrom", "uiFrom"] as const) {
      if (networkAccess[door].length > 0) {
        problems.push(
          rule(
            "opens a Temporal server that this program does not run (temporal.mode is external); remove it",
            ["networkAccess", door],
          ),
        );
      }
    }
  }
  if (temporal.mode === "chart" && payloadEncryption.codecServer?.publicUrl !== undefined) {
    for (const name of CODEC_VARIABLES.filter((name) => name in temporal.ui.env)) {
      problems.push(
        rule("is set from payloadEncryption.codecServer; remove it here", ["temporal", "ui", "env", name]),
      );
    }
  }
  if (temporal.mode === "chart" && temporal.ui.ingress !== undefined) {
    if (!temporal.ui.enabled) {
      problems.push(
        rule("leads to a UI that does not run (ui.enabled is false); remove it", [
          "temporal",
          "ui",
          "ingress",
        ]),
      );
    }
    if (networkAccess.uiFrom.length === 0) {
      problems.push(
        rule(
          "lets nobody in, so temporal.ui.ingress would lead nowhere; name the ingress controller's pods here",
          ["networkAccess", "uiFrom"],
        ),
      );
    }
  }
  return problems;
}

function postgresProblems({ temporal, postgres }: Sections): Problem[] {
  if (temporal.mode !== "chart") {
    return postgres === undefined
      ? []
      : [rule(`is for temporal.mode chart, which is ${temporal.mode} here; remove it`, ["postgres"])];
  }
  if (postgres === undefined) {
    return [
      rule("a Temporal server of mode chart needs Postgres; add the section with its mode", ["postgres"]),
    ];
  }
  const needed = neededConnections(temporal);
  if (postgres.maxConnections >= needed) return [];
  return [
    rule(
      `${postgres.maxConnections} connections do not suffice: all server pods with their pools (temporal.roles, temporal.databaseConnections) and the reserve need ${needed}; raise it or lower those`,
      ["postgres", "maxConnections"],
    ),
  ];
}

type NamespaceSections = Pick<Sections, "namespaces" | "postgres" | "certManager">;
const OPERATOR_PATH = ["postgres", "operator", "namespace"];

/** The namespaces that the stack makes and closes. */
function namespacesOf({ namespaces, postgres, certManager }: NamespaceSections) {
  const operator = postgres?.mode === "cluster" ? postgres.operator : undefined;
  return [
    { name: namespaces.temporal, path: ["namespaces", "temporal"] },
    { name: namespaces.workers, path: ["namespaces", "workers"] },
    ...(operator?.install === true ? [{ name: operator.namespace, path: OPERATOR_PATH }] : []),
    ...(certManager.install ? [{ name: certManager.namespace, path: ["certManager", "namespace"] }] : []),
  ];
}

function namespaceProblems({ namespaces, postgres, certManager }: NamespaceSections): Problem[] {
  const operator = postgres?.mode === "cluster" ? postgres.operator : undefined;
  const problems = namespacesOf({ namespaces, postgres, certManager })
    .filter(({ name }) => name === "default" || name.startsWith("kube-"))
    .map(({ name, path }) =>
      rule(`"${name}" belongs to Kubernetes itself; choose a namespace of its own`, path),
    );
  if (operator !== undefined && [namespaces.temporal, namespaces.workers].includes(operator.namespace)) {
    const message = `"${operator.namespace}" is used already; give the operator a namespace of its own`;
    problems.push(rule(message, OPERATOR_PATH));
  }
  const others = [namespaces.temporal, namespaces.workers, operator?.namespace];
  if (certManager.install && others.includes(certManager.namespace)) {
    problems.push(
      rule(`"${certManager.namespace}" is used already; give cert-manager a namespace of its own`, [
        "certManager",
        "namespace",
      ]),
    );
  }
  return problems;
}
