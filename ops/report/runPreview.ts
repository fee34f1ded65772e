import { existsSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_FILE_VARIABLE } from "../../settings/encryptedPlaces";
import { checkout } from "../../common/paths";
import { type Plan, PlanReader } from "./plan";
import { cliFailure, type CliOptions, runCli, type StackCli } from "../../common/pulumi";

export interface PreviewOptions extends Pick<CliOptions, "cwd" | "environment"> {
  /** Instead of `Pulumi.<stack>.yaml`. */
  readonly configFile?: string | undefined;
  /** Folders of policy packs. */
  readonly policyPacks?: readonly string[] | undefined;
  /** Their settings, one file for each. */
  readonly policyConfigs?: readonly string[] | undefined;
  /** Whether the cluster is read first. */
  readonly refresh?: boolean;
  /** Receives what the preview is at, for people who wait. */
  readonly onResource?: (urn: string) => void;
}

/** What a preview found. */
export interface Previewed {
  readonly plan: Plan;
  /** Whether the CLI ended well. */
  readonly succeeded: boolean;
}

/** The policy pack of a checkout, if it has one. */
export function ownPolicyPacks(folder: string = checkout): string[] {
  const pack = join(folder, "policy");
  return existsSync(join(pack, "PulumiPolicy.yaml")) ? [pack] : [];
}

/**
 * Previews an update of the stack. The events are read one by one: a preview of any size needs no more memory than
 * what its report shows.
 *
 * @throws Failure when there is nothing to report on: no CLI, no such stack, a wrong passphrase
 */
export async function runPreview(cli: StackCli, options: PreviewOptions = {}): Promise<Previewed> {
  const { configFile, policyPacks = [], policyConfigs = [], refresh = false, cwd } = options;
  const reader = new PlanReader(options.onResource);
  const args = [
    ...["preview", "--json"],
    ...(refresh ? ["--refresh"] : []),
    ...policyPacks.flatMap((pack) => ["--policy-pack", pack]),
    ...policyConfigs.flatMap((file) => ["--policy-pack-config", file]),
  ];
  const { exitCode, stderr } = await runCli(cli, args, {
    ...(cwd === undefined ? {} : { cwd }),
    environment: {
      ...options.environment,
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      ...(configFile === undefined ? {} : { [CONFIG_FILE_VARIABLE]: configFile }),
    },
    onOutput: (line) => reader.add(line),
  });
  const plan = reader.plan();
  const said = plan.finished || plan.diagnostics.some(({ severity }) => severity === "error");
  if (exitCode !== 0 && !said) {
    // A policy pack that does not start says why as information only.
    const more = plan.diagnostics.filter(({ severity }) => severity === "info#err");
    throw cliFailure(cli, ["preview"], [...more.map(({ message }) => message), stderr].join("\n"));
  }
  return { plan, succeeded: exitCode === 0 };
}
