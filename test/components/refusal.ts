import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "../../settings/settings";
import type { SettingsSource } from "../../settings/source";
import type { Values } from "../harness";

/** The least that a stack file must say. */
export const LEAST: Values = {
  temporal: { mode: "devServer" },
  workerImage: { repository: "registry.example.com/worker" },
  workers: [{ name: "orders", taskQueues: ["orders"] }],
};

/** The day on which settings of the tests are checked. */
export const TODAY = "2026-11-26";

/** Settings as the engine hands them over. */
export function source(sections: Values, more: Partial<SettingsSource> = {}): SettingsSource {
  const config = Object.fromEntries(
    Object.entries(sections)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [
        `temporal-stack:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
  );
  return { stack: "dev", stackFile: "Pulumi.dev.yaml", secretKeys: [], today: TODAY, ...more, config };
}

/** The message with which settings are refused. */
export function refusal(sections: Values, more: Partial<SettingsSource> = {}): string {
  try {
    parseSettings(source(sections, more));
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), "a RunError shows no stack trace");
    return error.message;
  }
  throw new Error("the settings were accepted");
}
