import type { Component } from "../../../ci/supplyChain/components";

export const CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
export const LOW = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

export const npm = (name: string, version: string): Component => ({
  ecosystem: "npm",
  label: `npm:${name}`,
  name,
  version,
});
export const deb = (name: string, version: string): Component => ({
  ...{ ecosystem: "Debian:13", label: `deb:${name}`, name, version },
});

/** An advisory of our own. */
export function advisory(id: string, component: Component, more: Readonly<Record<string, unknown>> = {}) {
  const { ecosystem, name } = component;
  const { events = [{ introduced: "0" }], ...rest } = more;
  return {
    id,
    modified: "2026-06-14T00:00:00Z",
    summary: `hole in ${name}`,
    severity: [{ type: "CVSS_V3", score: CRITICAL }],
    affected: [{ package: { ecosystem, name }, ranges: [{ type: "SEMVER", events }] }],
    ...rest,
  };
}
