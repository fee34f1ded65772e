import { randomUUID } from "node:crypto";
import { appendFile, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Failure } from "../common/failure";
import { checkout } from "../common/paths";
import { removeSalt, stackEnvironment } from "../common/localStack";
import { localCli } from "../common/pulumi";
import { stackOutputs } from "../common/stackOutputs";
import type { Target } from "../common/localStack";
import { commandPath } from "../toolchain/install";
import { programs } from "../toolchain/programs";
import { readyImages } from "./readyImages";
import { timed } from "./timedRun";
import { type FinishedStep, finishedSteps } from "./stepLines";

const IMAGE = "temporal-stack:workerImage";
const WORKERS = "temporal-stack:workers";
/** Any file that the worker is built from. */
const WORKER_SOURCE = "worker/src/domain/sample-gateways.ts";

const stackFileSchema = z.looseObject({
  config: z.looseObject({
    [IMAGE]: z.looseObject({}).default({}),
    [WORKERS]: z.tuple([z.looseObject({})], z.looseObject({})),
  }),
});

/** Two versions of the program, each a commit of a clone, and their images. */
export class Versions {
  private first = "";
  private second = "";
  private readonly images: { first?: string; second?: string } = {};
  private readonly file: string;

  constructor(
    private readonly target: Target,
    private readonly folder: string,
  ) {
    this.file = join(folder, `Pulumi.${target.stack}.yaml`);
  }

  /** Makes the commits, and builds and deploys each. */
  async prepare(): Promise<void> {
    const remedy = "run it in a clone: a rollback needs commits";
    await timed(["git", "clone", "--quiet", checkout, this.folder], { remedy });
    for (const packages of ["node_modules", "worker/node_modules"]) {
      await symlink(join(checkout, packages), join(this.folder, packages));
    }
    // A link is no folder, which is what Git ignores.
    await appendFile(join(this.folder, ".git/info/exclude"), "node_modules\n");
    this.first = await this.git("rev-parse", "HEAD");
    await this.up("first version");
    this.images.first = await this.runningImage();
    // No earlier measurement's, which is in quarantine.
    await appendFile(join(this.folder, WORKER_SOURCE), `\n// Version ${randomUUID()}.\n`);
    await this.changeFile((config) => {
      const [worker, ...others] = config[WORKERS];
      return { ...config, [WORKERS]: [{ ...worker, logLevel: "debug" }, ...others] };
    });
    this.second = await this.commit("Second version of a measurement");
    await this.up("second version");
    this.images.second = await this.runningImage();
  }

  /** Seconds of an update to the first version, its image by digest. */
  async deployFirst(): Promise<number> {
    return this.deploy(this.first, this.images.first);
  }

  /** The second version, its image by digest, also if a rollback has put that in quarantine. */
  async deploySecond(): Promise<void> {
    await this.git("checkout", "--quiet", "--force", this.second);
    const list = await this.npm("quarantine", []);
    const digest = this.images.second ?? "";
    if (list.output.includes(digest)) {
      await this.npm("quarantine", ["--release", digest, "--reason", "a measurement goes on"]);
    }
    await this.pinImage(digest);
    await this.up("second version");
  }

  /** Goes back to the first version; what each step took. */
  async rollback(): Promise<FinishedStep[]> {
    return finishedSteps((await this.npm("rollback", ["--to", this.first, "--yes"])).output);
  }

  /** Seconds from the command until every worker pod is ready on the first version's image. */
  async workerOnly(): Promise<number> {
    const { workers } = await stackOutputs(localCli(this.target));
    const flags = ["--worker-only", "--skip-replay", "--no-verify", "--yes"];
    const run = await this.npm("rollback", flags);
    // Pulumi awaits the rollout: what is not ready now would make the time a lie.
    const found = await readyImages(this.target, workers);
    if (found.unready > 0 || found.images.some((image) => !image.endsWith(`@${this.images.first ?? ""}`))) {
      throw new Failure(
        `npm run rollback ended while ${found.unready} worker pods were not ready, and these images ran: ${found.images.join(", ")}`,
        "see npm run history and the pods of the workers; there is no figure for that",
      );
    }
    return run.seconds;
  }

  /** Deploys the checkout as it is. */
  async restore(): Promise<void> {
    await this.up("after a measurement", checkout);
    await removeSalt(this.target);
  }

  private async deploy(commit: string, digest: string | undefined): Promise<number> {
    await this.git("checkout", "--quiet", "--force", commit);
    await this.pinImage(digest ?? "");
    return this.up("a version by its digest");
  }

  private pinImage(digest: string): Promise<void> {
    return this.changeFile((config) => ({ ...config, [IMAGE]: { ...config[IMAGE], digest } }));
  }

  private async changeFile(
    change: (config: z.output<typeof stackFileSchema>["config"]) => Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const content = stackFileSchema.parse(parse(await readFile(this.file, "utf8")));
    // In quotes: Pulumi takes a text that looks like a time for one.
    const quoted = { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } as const;
    await writeFile(this.file, stringify({ ...content, config: change(content.config) }, quoted));
  }

  /** Digest of the image that is deployed. */
  private async runningImage(): Promise<string> {
    const { workers } = await stackOutputs(localCli(this.target));
    const { images } = await readyImages(this.target, workers);
    const [digest] = /sha256:[0-9a-f]{64}$/.exec(images[0] ?? "") ?? [];
    if (images.length !== 1 || digest === undefined) {
      throw new Failure(
        `the workers run ${images.join(", ") || "nothing"}, not one image by digest`,
        "run npm run up",
      );
    }
    return digest;
  }

  private async up(message: string, cwd = this.folder): Promise<number> {
    const args = ["up", "--yes", "--skip-preview", "--stack", this.target.stack, "--message", message];
    const command = [commandPath(programs.pulumi), ...args, "--non-interactive", "--color", "never"] as const;
    return (
      await timed(command, { cwd, env: this.environment, remedy: "run npm run up and see what it says" })
    ).seconds;
  }

  private npm(command: string, args: readonly string[]): ReturnType<typeof timed> {
    const line = ["npm", "run", "--silent", command, "--", "--stack", this.target.stack, ...args] as const;
    const remedy = "the lines above name the cause";
    return timed(line, { cwd: this.folder, env: this.environment, remedy });
  }

  private get environment(): Readonly<Record<string, string | undefined>> {
    return { ...stackEnvironment(this.target), PULUMI_CONFIG_PASSPHRASE: undefined };
  }

  private async commit(message: string): Promise<string> {
    const author = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
    await this.git(...author, "commit", "--quiet", "--all", "--no-verify", "--message", message);
    return this.git("rev-parse", "HEAD");
  }

  private async git(...args: string[]): Promise<string> {
    return (await execa("git", ["-C", this.folder, ...args])).stdout;
  }
}
