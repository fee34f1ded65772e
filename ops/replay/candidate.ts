import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa, ExecaError } from "execa";
import { Failure, lastLines } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";

/** A built worker package that replays with its own workflows, on the very SDK that bundled them. */
export interface Candidate {
  /** For people: what it is. */
  readonly description: string;
  /** Folder that holds `lib/` and `node_modules/`. */
  readonly folder: string;
}

const REPLAY = join("lib", "cli", "replay.js");
const worker = resolve(__dirname, "../../worker");

/** Builds the workflows of the checkout. */
export async function checkoutCandidate(cancelSignal: AbortSignal): Promise<Candidate> {
  const { failed, all } = await execa("npm", ["--prefix", worker, "run", "--silent", "build"], {
    all: true,
    reject: false,
    cancelSignal,
  });
  cancelSignal.throwIfAborted();
  if (failed) throw new Failure("the worker does not build", "correct what is named above", lastLines(all));
  return { description: "this checkout", folder: worker };
}

/**
 * Takes the worker out of its image: whatever engine the Docker CLI talks to pulls it, with the CLI's own login.
 *
 * @param reference `repository@sha256:…`, or a digest alone
 * @param deployed the image that the stack runs; a digest alone is in its repository
 * @param folder where it is put; the caller removes it
 * @throws UsageFailure when the reference names no worker image, or one that cannot run here
 */
export async function imageCandidate(
  reference: string,
  deployed: string,
  folder: string,
  cancelSignal: AbortSignal,
): Promise<Candidate> {
  const image = imageReference(reference, deployed);
  const platform = runnablePlatform(image);
  const args = ["create", "--network", "none", "--platform", platform, image];
  const container = (await docker(args, cancelSignal)).trim();
  try {
    await mkdir(folder, { recursive: true });
    await execa(dockerCli(), ["cp", `${container}:/app`, "-"], { buffer: false, cancelSignal }).pipe("tar", [
      ...["--extract", "--no-same-owner", "--directory", folder],
    ]);
  } catch (error) {
    throw commandFailure(`/app cannot be copied out of ${image}`, error);
  } finally {
    await docker(["rm", container]);
    // Images hold their folders without write permission.
    await execa("chmod", ["-R", "u+w", folder]);
  }
  const app = join(folder, "app");
  if (!existsSync(join(app, REPLAY))) {
    throw new UsageFailure(
      `${image} holds no /app/${REPLAY}: it is no worker image, or older than the gate`,
      "replay the commit that it was built from: check it out and leave --image away",
    );
  }
  await assertAddonRuns(image, app);
  return { description: image, folder: app };
}

/** Program and arguments with which a candidate replays. */
export const replayCommand = ({ folder }: Candidate): string => join(folder, REPLAY);

/** @throws UsageFailure when it names no content */
export function imageReference(reference: string, deployed: string): string {
  const digest = /^sha256:[0-9a-f]{64}$/;
  if (digest.test(reference)) return `${deployed.replace(/@.*$/, "")}@${reference}`;
  const [name, content] = reference.split("@");
  if (name !== "" && digest.test(content ?? "")) return reference;
  throw new UsageFailure(
    `--image ${reference} does not name an image by its content`,
    "give sha256:… for one of the stack's repository, or repository@sha256:…; a tag may be moved",
  );
}

const ARCHITECTURES: Partial<Record<string, readonly [platform: string, triple: string]>> = {
  x64: ["linux/amd64", "x86_64-unknown-linux-gnu"],
  arm64: ["linux/arm64", "aarch64-unknown-linux-gnu"],
};

function runnablePlatform(image: string): string {
  const [platform] = ARCHITECTURES[process.arch] ?? [];
  if (process.platform !== "linux" || platform === undefined || !hasGlibc()) throw foreign(image);
  return platform;
}

/** What runs here may have been asked for, and something else built into the image. */
async function assertAddonRuns(image: string, app: string): Promise<void> {
  const [, triple = ""] = ARCHITECTURES[process.arch] ?? [];
  const built = await readdir(join(app, "node_modules/@temporalio/core-bridge/releases"));
  if (!built.includes(triple)) throw foreign(image, built.join(", "));
}

function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

function foreign(image: string, built = "Linux with glibc"): UsageFailure {
  return new UsageFailure(
    `${image} cannot run here: its native add-on is for ${built}, this is ${process.platform}/${process.arch}`,
    "run this command on such a machine; or where Temporal can be reached, the image itself, with the variables and " +
      `files of its worker: docker run --rm --env-file FILE --volume KEYS:KEYS:ro ${image} ${REPLAY}`,
  );
}

const dockerCli = (): string => process.env["TEMPORAL_STACK_DOCKER"] ?? process.env["DOCKER"] ?? "docker";

async function docker(args: readonly string[], cancelSignal?: AbortSignal): Promise<string> {
  try {
    return (await execa(dockerCli(), args, cancelSignal === undefined ? {} : { cancelSignal })).stdout;
  } catch (error) {
    throw commandFailure(`docker ${args[0] ?? ""} failed`, error);
  }
}

function commandFailure(problem: string, error: unknown): unknown {
  if (!(error instanceof ExecaError)) return error;
  const { stderr, shortMessage }: { stderr?: unknown; shortMessage: string } = error;
  const details = typeof stderr === "string" && stderr !== "" ? stderr : shortMessage;
  return new Failure(
    problem,
    "see that the Docker CLI reaches an engine and is logged in to the registry, then run the command again",
    lastLines(details),
  );
}
