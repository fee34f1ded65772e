import assert from "node:assert/strict";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa, execaSync } from "execa";
import { pulumiHome } from "../../common/localStack";
import { programFolder } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { StackFile } from "./stackFile";
import { copyOfCheckout, type Finished, repository } from "./support";

/** Keeps the guards and the records, and leaves out what needs a cluster. */
export const PROGRAM = `
import { ownOutputs } from "./components/guards/ownOutputs";
import { refuseQuarantined } from "./components/guards/quarantineGuard";
import { recordOf, refuseForbiddenChanges } from "./components/guards/record";
import { recordRelease } from "./components/guards/releases";
import { programRevision } from "./components/manifests/sourceRevision";
import { loadSettings } from "./settings/settings";
import { imagesToRun, workerImages } from "./components/workerImage";

const settings = loadSettings();
const own = ownOutputs();
const imagesWanted = imagesToRun(settings);
const revision = programRevision(__dirname);
const inQuarantine = refuseQuarantined(settings, imagesWanted, own);
const allowed = refuseForbiddenChanges(settings, own);
const images = workerImages(imagesWanted, { settings: settings.workerImage, revision, quarantine: inQuarantine }, {});
export const workerImage = images.sample;
export const deployed = allowed.then(() => recordOf(settings));
export const quarantine = inQuarantine;
export const releases = recordRelease(settings, { images: images.all, revision }, own);
export const password = settings.workerImage.registry?.password.reveal().length;
`;

/** The stack of that program. */
export const STACK = "dev";

/** An image's digest, told apart by its digit. */
export const image = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The real CLI and real Git: a copy of the checkout as a clone, with the program that only records. */
export class RecordingClone {
  readonly folder = copyOfCheckout();
  readonly file = new StackFile(repository, this.folder, STACK);
  readonly environment: Readonly<Record<"KUBECONFIG" | "PULUMI_BACKEND_URL" | "TMPDIR", string>> &
    NodeJS.ProcessEnv;

  /** @param own where the cluster and the backend are, and where temporary files go */
  constructor(own: Readonly<Record<"KUBECONFIG" | "PULUMI_BACKEND_URL" | "TMPDIR", string>>) {
    this.environment = {
      PATH: [programFolder(programs.pulumi), process.env["PATH"]].join(":"),
      PULUMI_CONFIG_PASSPHRASE: "history",
      PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: undefined,
      PULUMI_HOME: pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      TEMPORAL_STACK_MACHINE_SETTINGS: undefined,
      ...own,
    };
  }

  /** Makes the clone and an empty stack. */
  async start(): Promise<void> {
    this.git("init", "--quiet");
    appendFileSync(join(this.folder, ".git/info/exclude"), "node_modules\n");
    writeFileSync(join(this.folder, "index.ts"), PROGRAM);
    const { exitCode, output } = await this.run("pulumi", ["stack", "init", STACK, "--non-interactive"]);
    assert.equal(exitCode, 0, output);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  pulumi(args: readonly string[], env?: NodeJS.ProcessEnv, input?: string): Promise<Finished> {
    return this.run(
      "pulumi",
      [...args, "--stack", STACK, "--non-interactive", "--color", "never"],
      env,
      input,
    );
  }

  /** A command of day two, as npm runs it. */
  ops(command: string, args: readonly string[] = [], env?: NodeJS.ProcessEnv): Promise<Finished> {
    return this.run(process.execPath, ["common/bootstrap.mjs", `ops/${command}`, "-s", STACK, ...args], env);
  }

  git(...args: string[]): string {
    const author = ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.com"];
    return execaSync("git", ["-C", this.folder, ...author, ...args]).stdout;
  }

  /** Commits everything, and returns the commit. */
  commit(message: string): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--no-verify", "--message", message);
    return this.git("rev-parse", "HEAD");
  }

  async up(message: string): Promise<void> {
    const { exitCode, output } = await this.pulumi(["up", "--yes", "--skip-preview", "--message", message]);
    assert.equal(exitCode, 0, output);
    // The history counts in seconds.
    await delay(1_000);
  }

  useImage(digit: string): void {
    this.file.layOver({ workerImage: { digest: image(digit) } });
  }

  private async run(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    input = "",
  ): Promise<Finished> {
    const { exitCode, all } = await execa(program, args, {
      ...{ cwd: this.folder, env: { ...this.environment, ...env }, reject: false, all: true, input },
    });
    return { exitCode, output: all };
  }
}
