import assert from "node:assert/strict";
import { alertsOf, isAlertable, prometheusRuleSpec } from "../../components/manifests/alerts/rules";
import type { AlertSettings } from "../../components/manifests/alerts/alert";
import { configurationPage, writtenPage } from "../../docs/generate";
import { openApiProblems } from "../../settings/openapi/validate";
import type { Mapping } from "../../settings/mapping";
import { ALERT_CASES, ALERT_CHANGES, ALERT_MONITORING, ALERT_STACK } from "../support/alertCases";
import { stackSettings } from "../support/stackSettings";

function settingsOf(stack = ALERT_STACK, monitoring: Mapping = {}, changes: Mapping = {}): AlertSettings {
  const settings = stackSettings(stack, { monitoring: { ...ALERT_MONITORING, ...monitoring }, ...changes });
  assert.ok(isAlertable(settings));
  return settings;
}

const namesOf = (settings: AlertSettings) => [...new Set(alertsOf(settings).map(({ name }) => name))].sort();
const exprOf = (settings: AlertSettings, name: string, index = 0) =>
  alertsOf(settings).filter((alert) => alert.name === name)[index]?.expr ?? "";

describe("alerts", () => {
  const settings = settingsOf(ALERT_STACK, {}, ALERT_CHANGES);
  const page = writtenPage("alerts.md");

  it("make an object that the operator's resource definition admits", () => {
    const object = {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name: "rules" },
      spec: prometheusRuleSpec(settings),
    };
    assert.deepEqual(openApiProblems(object), []);
  });

  it("each have a section in docs/alerts.md, and no section is without an alert", () => {
    const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    assert.deepEqual(sections.sort(), namesOf(settings));
  });

  it("each have cases for promtool, and no case is without an alert", () => {
    assert.deepEqual(Object.keys(ALERT_CASES).sort(), namesOf(settings));
  });

  it("link to their sections where the settings say that the page is", () => {
    const links = prometheusRuleSpec(settingsOf(ALERT_STACK, { runbooks: "https://example.com/alerts" }))
      .groups.flatMap(({ rules }) => rules)
      .flatMap((rule) => ("alert" in rule ? [rule.annotations.runbook_url] : []));
    assert.ok(links.includes("https://example.com/alerts#temporalroledown"), links.join("\n"));
  });

  it("are told apart by labels where they share a name", () => {
    const keys = alertsOf(settings).map(({ name, labels, severity }) =>
      JSON.stringify([name, severity, labels]),
    );
    assert.deepEqual(keys, [...new Set(keys)]);
  });

  it("have their thresholds from the settings", () => {
    const cases: readonly [name: string, expected: RegExp, monitoring?: Mapping, index?: number][] = [
      ["TemporalShardsUnowned", /< 512$/],
      ["TemporalWorkersAtMaximum", /worker_group="orders"} == 1\) >= 20$/],
      ["TemporalPostgresStandbyMissing", /< 2$/],
      ["TemporalPostgresVolumeFilling", /> 37580963840$/],
      ["TemporalBacklog", /> 100 and /],
      ["TemporalBacklog", /> 7 and /, { backlog: { tasks: 7 } }],
      ["TemporalBacklogOld", /> 60$/, { backlog: { seconds: 60 } }],
      [
        "TemporalStartErrorBudgetBurn",
        /rate1h{stack="prod"} > 0\.0144 and .*rate5m{stack="prod"} > 0\.0144$/,
      ],
      ["TemporalStartErrorBudgetBurn", /rate3d.* > 0\.001 and .*rate6h.* > 0\.001$/, {}, 3],
      ["TemporalStartErrorBudgetBurn", /rate1h.* > 0\.144 and/, { slo: { start: { percent: 99 } } }],
      [
        "TemporalSlowStartBudgetBurn",
        /rate1h.* > 0\.72 and/,
        { slo: { scheduleToStart: { percent: 95, seconds: 0.5 } } },
      ],
    ];
    for (const [name, expected, monitoring, index] of cases)
      assert.match(exprOf(settingsOf(ALERT_STACK, monitoring), name, index), expected);
    const slow = settingsOf(ALERT_STACK, { slo: { scheduleToStart: { seconds: 0.5 } } });
    assert.match(JSON.stringify(prometheusRuleSpec(slow)), /latency_bucket{[^}]*le=\\"0\.5\\"/);
  });

  it("wait for longer than a rollout where one causes them", () => {
    const longer = settingsOf(
      ALERT_STACK,
      {},
      {
        workers: [{ name: "orders", taskQueues: ["orders"], rolloutTimeoutSeconds: 3600 }],
      },
    );
    for (const name of ["TemporalWorkersAtMaximum", "TemporalTargetDown"]) {
      const [alert] = alertsOf(longer).filter((candidate) => candidate.name === name);
      assert.ok(alert && alert.forSeconds > 3600, name);
    }
  });

  it("are about what the stack runs only", () => {
    assert.deepEqual(
      namesOf(settingsOf("local")).filter(
        (name) => !/^TemporalWorker|^TemporalTarget|^TemporalWatch/.test(name),
      ),
      ["TemporalNonDeterminism", "TemporalPayloadTooLarge"],
    );
    const withoutBackups = namesOf(settingsOf());
    for (const name of ["TemporalPostgresArchiveFails", "TemporalPostgresBackupOld"])
      assert.ok(!withoutBackups.includes(name) && namesOf(settings).includes(name), name);
    const dev = namesOf(settingsOf("dev"));
    for (const name of [
      "TemporalPostgresWritesWait",
      "TemporalPostgresStandbyMissing",
      "TemporalPostgresLag",
    ])
      assert.ok(!dev.includes(name), `${name} with one instance`);
    const silent = settingsOf("local", { groupsWithoutMetrics: ["orders"] });
    assert.deepEqual(namesOf(silent), ["TemporalTargetDown", "TemporalWatchdog"]);
  });

  it("select the series of their own stack only", () => {
    for (const { name, expr } of alertsOf(settings)) {
      const selectors = expr.match(/{[^}]*}/g) ?? [];
      assert.equal(selectors.length === 0, name === "TemporalWatchdog", name);
      for (const selector of selectors) assert.match(selector, /stack="prod"/, name);
    }
  });
});

describe("docs/alerts.md", () => {
  const page = writtenPage("alerts.md");
  it("names settings that exist", () => {
    const known = new Set(
      [...configurationPage().matchAll(/^\| `([^`]+)`/gm)].map(([, key = ""]) => key.replace(/<\w+>/g, "")),
    );
    const named = [...page.matchAll(/`((?:temporal|postgres|workers\[\]|monitoring)\.[\w.[\]]+)`/g)].map(
      ([, key = ""]) => key,
    );
    assert.ok(named.length > 15);
    const parts = [...known];
    for (const key of named)
      assert.ok(
        parts.some((part) => part === key || part.startsWith(`${key}.`)),
        `${key} is no setting`,
      );
  });
});
