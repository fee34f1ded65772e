import { type StackCli } from "../../common/pulumi";
import { unreachableReason } from "../stack/kubeConfig";
import { clusterOf } from "../stack/cluster";
import { currentConfig, lastUpdate, type StackConfig } from "../stack/config";
import { type PreviewOptions, runPreview } from "../report/runPreview";
import { configChanges, type ConfigChange } from "../report/configChanges";
import { type Report, reportOf } from "../report/changeReport";

/**
 * Previews an update of a stack and gathers what people need to decide about it.
 *
 * @throws Failure when there is nothing to report on: no CLI, no such stack, a wrong passphrase
 */
export async function previewReport(cli: StackCli, options: PreviewOptions = {}): Promise<Report> {
  // Also the first to find out that there is no such stack, or that its secrets stay closed.
  const config = await currentConfig(cli, options);
  const [previewed, settings, cluster] = await Promise.all([
    runPreview(cli, options),
    settingsSince(cli, config, options),
    clusterUnknown(cli, config),
  ]);
  const packs = options.policyPacks ?? [];
  return reportOf({
    stack: cli.stack,
    source: cli.description,
    ...previewed,
    config: settings.changes,
    unknowns: [
      ...cluster,
      ...settings.unknown,
      ...(packs.length === 0 ? ["what policies say: no policy pack ran"] : []),
    ],
  });
}

interface Settings {
  readonly changes: readonly ConfigChange[];
  readonly unknown: readonly string[];
}

async function settingsSince(cli: StackCli, config: StackConfig, options: PreviewOptions): Promise<Settings> {
  try {
    const last = await lastUpdate(cli, options);
    return last === undefined
      ? { changes: [], unknown: ["which settings change: no update in the history has succeeded yet"] }
      : { changes: configChanges(last.config, config), unknown: [] };
  } catch (error) {
    return { changes: [], unknown: [`which settings change: ${reasonOf(error)}`] };
  }
}

async function clusterUnknown(cli: StackCli, config: StackConfig): Promise<string[]> {
  const reason = await clusterProblem(cli, config);
  return reason === undefined
    ? []
    : [
        `what the cluster says to it: it cannot be reached (${reason}). Compared is with what the last update recorded; ` +
          "what the cluster would refuse or change, and what was changed by hand, is not known",
      ];
}

async function clusterProblem(cli: StackCli, config: StackConfig): Promise<string | undefined> {
  try {
    return await unreachableReason(await clusterOf(cli, config));
  } catch (error) {
    return reasonOf(error);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
