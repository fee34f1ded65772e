import type { AllowedVulnerability } from "./allowList";
import { exitCodeOf, exitCodes, type Finding, type GateResult } from "./gate";

/** Renders what the gate found for the terminal. It says that it passed only where everything was checked. */
export function renderGate(result: GateResult, mode: { readonly release: boolean }): string {
  const { findings, checked, notChecked, expired, unused } = result;
  const lines = [
    ...findings.filter(({ shuts }) => shuts).map((finding) => `VULNERABLE ${describe(finding)}`),
    ...findings.filter(({ shuts }) => !shuts).map((finding) => `tolerated  ${describe(finding)}`),
    ...expired.map((entry) => `EXPIRED    ${named(entry)}: allowed until ${entry.expires} by ${entry.owner}`),
    ...unused.map((entry) => `unused     ${named(entry)}: no vulnerability needs it any more, take it out`),
    ...checked.map(
      ({ ecosystem, components, advisories, newest, stale }) =>
        `${stale ? "STALE     " : "checked   "} ${components} packages of ${ecosystem} against ${advisories} advisories, the newest of ${newest}`,
    ),
    ...notChecked.map((line) => `NOT CHECKED ${line}`),
  ];
  return [...lines, "", verdict(result, mode)].join("\n");
}

function verdict(result: GateResult, mode: { readonly release: boolean }): string {
  const shut = result.findings.filter(({ shuts }) => shuts).length;
  const reasons = [
    ...(shut > 0 ? [`${shut} vulnerabilities`] : []),
    ...(result.expired.length > 0 ? [`${result.expired.length} expired exceptions`] : []),
    ...(result.checked.some(({ stale }) => stale) ? ["stale data"] : []),
    ...(result.notChecked.length > 0 || result.checked.length === 0 ? ["not everything was checked"] : []),
  ].join(", ");
  switch (exitCodeOf(result, mode)) {
    case exitCodes.passed:
      return reasons === "" ? "passed" : `passed with ${reasons}, which would stop a release`;
    case exitCodes.notChecked:
      return `NOT CHECKED, and so not passed: ${reasons}`;
    default:
      return `FAILED: ${reasons}`;
  }
}

const named = ({ id, package: name }: AllowedVulnerability): string => `${id} of ${name}`;

function describe({ id, aliases, component, level, score, fixed, summary, allowed }: Finding): string {
  const names = aliases.length > 0 ? `${id} (${aliases.join(", ")})` : id;
  return [
    `${level}${score === undefined ? "" : ` ${score}`}  ${component.label} ${component.version}: ${names}`,
    summary === "" ? "" : `: ${summary.slice(0, 120)}`,
    fixed.length > 0 ? `; mended in ${fixed.join(", ")}` : "; not mended yet",
    allowed === undefined ? "" : `; ${allowed.owner} until ${allowed.expires}: ${allowed.reason}`,
  ].join("");
}
