import { existsSync, readFileSync } from "node:fs";
import { machineSettingsFile } from "../../common/localStack";
import { checkout as ownCheckout } from "../../common/paths";
import { noStackFile } from "../../common/stackFiles";
import { UsageFailure } from "../../common/usageFailure";
import { parseSettings, type Settings } from "../../settings/settings";
import { OVERLAY_VARIABLE, type SettingsSource } from "../../settings/source";
import { sourceOfStackFile } from "../../settings/stackFile";

/** The settings of a stack, or all that is wrong with them. */
export type LoadedSettings =
  | { readonly file: string; readonly settings: Settings }
  | { readonly file: string; readonly settings?: undefined; readonly problems: readonly string[] };

/**
 * Reads a stack's file as an update would, but without the key of its secrets: this is before the first update, when
 * there may be no stack yet.
 *
 * @param local whether `npm run up` deploys it, which keeps what only this machine knows in a file of its own
 * @throws UsageFailure when there is no such file
 */
export function loadSettings(stack: string, local: boolean, checkout = ownCheckout): LoadedSettings {
  const file = `Pulumi.${stack}.yaml`;
  try {
    const source = sourceOfStackFile(checkout, stack);
    if (source === undefined) noStackFile(stack, checkout);
    return { file, settings: parseSettings({ ...source, ...overlay(local) }) };
  } catch (error) {
    if (error instanceof UsageFailure || !(error instanceof Error)) throw error;
    return { file, problems: problemsIn(error.message) };
  }
}

function overlay(local: boolean): Pick<SettingsSource, "overlay"> {
  const named = local ? machineSettingsFile : (process.env[OVERLAY_VARIABLE] ?? "");
  if (named === "") return {};
  return { overlay: { file: named, text: existsSync(named) ? readFileSync(named, "utf8") : undefined } };
}

/** Every problem of a refusal; the whole text where it is no list. */
function problemsIn(message: string): string[] {
  const listed = message.split("\n").flatMap((line) => /^ {2}- (.*)$/.exec(line)?.[1] ?? []);
  return listed.length > 0 ? listed : [message];
}
