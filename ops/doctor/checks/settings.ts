import type { Check } from "../check";
import { type Finding, failed, ok } from "../finding";
import type { LoadedSettings } from "../loadSettings";

/** The settings load, and each value is what it must be. */
export const settings = (loaded: LoadedSettings): Check => ({
  name: "settings",
  about: "settings of the stack",
  examine: () => settingsFindings(loaded),
});

export function settingsFindings(loaded: LoadedSettings): Finding[] {
  if (loaded.settings !== undefined) {
    return [ok(`${loaded.file} is valid; values of secrets were not looked at`)];
  }
  return loaded.problems.map((problem) =>
    failed(problem, `correct ${loaded.file}; docs/configuration.md lists every key`),
  );
}
