import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import {
  alertsOf,
  isAlertable,
  prometheusRuleSpec,
  runbookOf,
} from "../../components/manifests/alerts/rules";
import {
  ALERT_CASES,
  ALERT_CHANGES,
  ALERT_MONITORING,
  ALERT_STACK,
  type AlertCase,
} from "../support/alertCases";
import { findPromtool } from "../support/promtool";
import { stackSettings } from "../support/stackSettings";

const settings = stackSettings(ALERT_STACK, { monitoring: ALERT_MONITORING, ...ALERT_CHANGES });
assert.ok(isAlertable(settings));

/** What promtool expects to fire: it compares all labels and annotations. */
function expected(name: string, labels: readonly Readonly<Record<string, string>>[]) {
  assert.ok(isAlertable(settings));
  const rules = alertsOf(settings).filter((alert) => alert.name === name);
  return labels.map((given) => {
    const rule = rules.find((alert) =>
      Object.entries(alert.labels ?? {}).every(([key, value]) => given[key] === value),
    );
    assert.ok(rule, `${name} ${JSON.stringify(given)}`);
    return {
      exp_labels: { ...given, severity: rule.severity, stack: ALERT_STACK },
      exp_annotations: { summary: rule.summary, runbook_url: runbookOf(settings, rule) },
    };
  });
}

function testsOf(name: string, { fires, quiet, withoutSeries = [] }: AlertCase) {
  const group = (
    what: string,
    series: Readonly<Record<string, string>>,
    at: number,
    labels: readonly Readonly<Record<string, string>>[],
  ) => ({
    name: what,
    interval: "1m",
    input_series: Object.entries(series).map(([key, values]) => ({ series: key, values })),
    alert_rule_test: [{ eval_time: `${String(at)}m`, alertname: name, exp_alerts: expected(name, labels) }],
  });
  return [
    group("fires", fires.series, fires.at, fires.labels),
    ...(quiet === undefined ? [] : [group("stays quiet", quiet.series, quiet.at, [])]),
    group("has no series", {}, fires.at, withoutSeries),
  ];
}

describe("alerts, as Prometheus evaluates them", () => {
  let folder: string;
  let promtool: string;
  let themeOf: (alert: string) => string | undefined;

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), "temporal-stack-alerts-"));
    const found = await findPromtool();
    if ("missing" in found) {
      console.error(`    SKIPPED: every alert, as promtool cannot be had: ${found.missing}`);
      this.skip();
    }
    promtool = found.path;
    assert.ok(isAlertable(settings));
    const spec = prometheusRuleSpec(settings);
    await writeFile(join(folder, "rules.yaml"), stringify(spec));
    // Evaluating all of them for each alert would take three times as long.
    for (const group of spec.groups)
      await writeFile(join(folder, `${group.name}.yaml`), stringify({ groups: [group] }));
    themeOf = (name) =>
      spec.groups.find(({ rules }) => rules.some((rule) => "alert" in rule && rule.alert === name))?.name;
  });

  after(() => rm(folder, { recursive: true }));

  const run = async (...args: readonly string[]) => {
    const { all, exitCode } = await execa(promtool, args, { cwd: folder, reject: false, all: true });
    assert.equal(exitCode, 0, all);
  };

  it("are rules without a mistake", () => run("check", "rules", "rules.yaml"));

  for (const [name, cases] of Object.entries(ALERT_CASES)) {
    it(`${name} fires, stays quiet, and does what it should without series`, async () => {
      const file = `${name}.yaml`;
      const content = {
        rule_files: [`${String(themeOf(name))}.yaml`],
        evaluation_interval: "1m",
        tests: testsOf(name, cases),
      };
      await writeFile(join(folder, file), stringify(content));
      await run("test", "rules", file);
    });
  }
});
