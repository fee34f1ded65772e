import { parseSettings, type Settings } from "../../settings/settings";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "./refusal";

/** The least that a stack with the official chart must say. */
export const CHART: Values = {
  ...LEAST,
  temporal: { mode: "chart" },
  postgres: { mode: "cluster", storage: { size: "10Gi" } },
};

/** The least about a Postgres service. */
export const MANAGED: Values = {
  mode: "managed",
  host: "postgres.example.com",
  user: "temporal",
  passwordSecret: { name: "postgres-login" },
  maxConnections: 1000,
};

/** Sections with the official chart and changes to two of them. */
export function chartSections(temporal: Values = {}, postgres: Values = {}): Values {
  return {
    ...CHART,
    temporal: { mode: "chart", ...temporal },
    postgres: { mode: "cluster", storage: { size: "10Gi" }, ...postgres },
  };
}

/** Checked settings with the official chart. */
export function chartSettings(temporal: Values = {}, postgres: Values = {}) {
  return narrowed(parseSettings(source(chartSections(temporal, postgres))));
}

/** Checked settings with the official chart and a Postgres service. */
export function managedSettings(temporal: Values = {}, changes: Values = {}) {
  const sections = { ...chartSections(temporal), postgres: { ...MANAGED, ...changes } };
  return parseSettings(source(sections));
}

function narrowed(settings: Settings) {
  const { temporal, postgres } = settings;
  if (temporal.mode !== "chart" || postgres?.mode !== "cluster") throw new Error("not the official chart");
  return { settings, server: temporal, cluster: postgres };
}

/** The message with which settings with the official chart are refused. */
export function chartRefusal(temporal: Values = {}, postgres: Values = {}): string {
  return refusal(chartSections(temporal, postgres));
}
