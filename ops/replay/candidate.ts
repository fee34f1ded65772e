import { join, resolve } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";

const worker = resolve(__dirname, "../../worker");

/**
 * Builds the worker package of the checkout: its client, and its workflows, which replay on the very SDK that bundled
 * them.
 *
 * @returns its folder, with `lib/` and `node_modules/`
 */
export async function checkoutCandidate(cancelSignal: AbortSignal): Promise<string> {
  const { failed, all } = await execa("npm", ["--prefix", worker, "run", "--silent", "build"], {
    all: true,
    reject: false,
    cancelSignal,
  });
  cancelSignal.throwIfAborted();
  if (failed) throw new Failure("the worker does not build", "correct what is named above", lastLines(all));
  return worker;
}

/** What replays in the folder of a built worker package. */
export const replayScript = (folder: string): string => join(folder, "lib", "cli", "replay.js");

/** @throws UsageFailure when it names no content */
export function imageReference(reference: string, deployed = ""): string {
  const digest = /^sha256:[0-9a-f]{64}$/;
  if (digest.test(reference) && deployed !== "") return `${deployed.replace(/@.*$/, "")}@${reference}`;
  const [name, content] = reference.split("@");
  if (name !== "" && digest.test(content ?? "")) return reference;
  throw new UsageFailure(
    `--image ${reference} does not name an image by its content`,
    "give sha256:… for one of the stack's repository, or repository@sha256:…; a tag may be moved",
  );
}
