import { afterRollout, type Alert, type AlertSettings, MINUTE } from "./alert";

/** Alerts about the monitoring itself. */
export function targetAlerts({ stack, temporal, postgres, workers }: AlertSettings): Alert[] {
  const longestRollout = Math.max(
    temporal.mode === "external" ? 0 : temporal.rolloutTimeoutSeconds,
    postgres?.mode === "cluster" ? postgres.readyTimeoutSeconds : 0,
    ...workers.map(({ rolloutTimeoutSeconds }) => rolloutTimeoutSeconds),
  );
  return [
    {
      name: "TemporalTargetDown",
      severity: "warning",
      summary: "Prometheus cannot scrape a pod: alerts about it are blind",
      // A pod that starts does not answer yet.
      forSeconds: afterRollout(longestRollout, 10 * MINUTE),
      expr: `up{stack="${stack}"} == 0`,
    },
    {
      name: "TemporalWatchdog",
      severity: "none",
      summary: "Fires always: who does not get it any more has no alerts",
      forSeconds: 0,
      expr: "vector(1)",
    },
  ];
}
