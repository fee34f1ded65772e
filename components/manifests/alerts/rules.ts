import type { Settings } from "../../../settings/settings";
import type { Alert, AlertSettings, RecordingRule } from "./alert";
import { postgresAlerts } from "./postgres";
import { serverAlerts } from "./server";
import { sloAlerts, sloRecords } from "./slo";
import { targetAlerts } from "./targets";
import { workerAlerts } from "./workers";

interface Theme {
  readonly name: string;
  readonly records: readonly RecordingRule[];
  readonly alerts: readonly Alert[];
}

/** What is recorded and alerted about, by theme. */
function themes(settings: AlertSettings): Theme[] {
  return [
    { name: "slo", records: sloRecords(settings), alerts: sloAlerts(settings) },
    { name: "server", records: [], alerts: serverAlerts(settings) },
    { name: "workers", records: [], alerts: workerAlerts(settings) },
    { name: "postgres", records: [], alerts: postgresAlerts(settings) },
    { name: "targets", records: [], alerts: targetAlerts(settings) },
  ].filter(({ records, alerts }) => records.length + alerts.length > 0);
}

/** The settings of a stack whose monitoring is on. */
export function isAlertable<S extends Pick<Settings, "monitoring">>(
  settings: S,
): settings is S & Pick<AlertSettings, "monitoring"> {
  return settings.monitoring.mode === "resources";
}

/** Every alert of a stack. */
export const alertsOf = (settings: AlertSettings): Alert[] =>
  themes(settings).flatMap(({ alerts }) => alerts);

/** Where the page of an alert is. */
export const runbookOf = ({ monitoring }: AlertSettings, { name }: Pick<Alert, "name">): string =>
  `${monitoring.runbooks}#${name.toLowerCase()}`;

/** `spec` of the PrometheusRule, which is a file of rules, too. */
export function prometheusRuleSpec(settings: AlertSettings) {
  const { stack } = settings;
  return {
    groups: themes(settings).map(({ name, records, alerts }) => ({
      name: `temporal-${name}`,
      rules: [
        ...records.map(({ record, expr }) => ({ record, expr, labels: { stack } })),
        ...alerts.map((alert) => ({
          alert: alert.name,
          expr: alert.expr,
          for: `${String(alert.forSeconds)}s`,
          labels: { ...alert.labels, severity: alert.severity, stack },
          annotations: { summary: alert.summary, runbook_url: runbookOf(settings, alert) },
        })),
      ],
    })),
  };
}
