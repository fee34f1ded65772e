import type { Quarantined } from "../../components/guards/quarantineGuard";
import { type Release, releasedImages } from "../../components/guards/releases";
import { programChanges, programRevision } from "../../components/manifests/sourceRevision";
import { Failure } from "../../common/failure";
import { groupsOf, isGroupFile, readGroupFiles } from "../../settings/groupFiles";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { chooseUpdate, deployedUpdate, nameOf } from "../history/choose";
import { shortDigest } from "../history/table";
import type { Update } from "../history/updates";
import { digestOf, type DeployedImage, repositoryOf } from "../stack/state";
import { stackNameOf } from "../stack/workspace";
import { imageOfGroup } from "./group";
import { type Situation, stackObstacles, workerObstacles } from "./obstacles";

/** What was asked for. */
export interface RollbackRequest {
  readonly to: string | undefined;
  readonly workerOnly: boolean;
  /** The worker group whose image alone goes back; with `workerOnly`. */
  readonly group?: string | undefined;
  /** Why, for the message and the quarantine. */
  readonly reason: string | undefined;
  /** Who asks. */
  readonly user: string;
  /** When, in milliseconds since 1970. */
  readonly now: number;
}

/** What a rollback does. */
export interface RollbackPlan {
  readonly target: Update;
  /** Worker images by digest, by their names in the settings. */
  readonly images: Readonly<Record<string, string>>;
  /** Update whose configuration is used. */
  readonly settingsOf: Update;
  /** Commit to check out; undefined: the program of the checkout, which is what is deployed. */
  readonly commit: string | undefined;
  /** What is put into quarantine. */
  readonly quarantine: readonly Quarantined[];
  /** Message of the update. */
  readonly message: string;
}

/**
 * Decides what a rollback does.
 *
 * @param checkout the checkout whose program `--worker-only` goes on with
 * @throws Failure when it cannot be done, with the reasons and what can be done instead
 */
export function planRollback(
  updates: readonly Update[],
  situation: Situation,
  request: RollbackRequest,
  checkout: string,
): RollbackPlan {
  const { stack, state } = situation;
  const { to, workerOnly, group, reason, user, now } = request;
  const deployed = deployedUpdate(updates, stack);
  const kept = workerOnly ? deployedProgram(state.program ?? deployed, stack, checkout) : undefined;
  const { groups } = groupsOf(readGroupFiles(checkout), stackNameOf(stack));
  const image = group === undefined ? undefined : imageOfGroup(deployed.config, group, stack, groups);
  const { current, target } = chooseUpdate(updates, {
    ...{ stack, to, workerOnly, image },
    quarantine: state.quarantine,
    obstacles: (update) =>
      workerOnly ? workerObstacles(situation, update, image) : stackObstacles(situation, update),
  });
  const { release } = target;
  if (release === undefined) throw new Error("an update without a release was chosen");
  const images = workerOnly ? workerImages(state.images, release, image) : imagesOf(release);
  const what = `${nameOf(target)}, ${namesOf(image === undefined ? images : { [image]: images[image] ?? "" })}`;
  const because = reason === undefined ? "" : `: ${reason}`;
  return {
    target,
    images,
    settingsOf: workerOnly ? current : target,
    commit: workerOnly ? kept : target.commit,
    quarantine: leftBehind(concerned(state.images, image), images, updates).map((left) => ({
      ...left,
      since: new Date(now).toISOString(),
      reason: reason ?? `left behind by a rollback of ${user} to ${nameOf(target)}`,
    })),
    message: `rollback ${whatOf(request)}to ${what}, by ${user}${because}`,
  };
}

function whatOf({ workerOnly, group }: RollbackRequest): string {
  if (group !== undefined) return `of group ${group} `;
  return workerOnly ? "of the workers " : "";
}

/** References of a release's images by name. */
const imagesOf = (release: Release): Record<string, string> =>
  Object.fromEntries(Object.entries(releasedImages(release)).map(([name, { image }]) => [name, image]));

/** The images of now, those of them taken back that the release has, or the one. */
function workerImages(
  now: readonly DeployedImage[],
  release: Release,
  only: string | undefined,
): Record<string, string> {
  const then = imagesOf(release);
  if (now.length === 0) return then;
  return Object.fromEntries(
    now.flatMap(({ name, reference }) =>
      name === undefined
        ? []
        : [[name, only === undefined || name === only ? (then[name] ?? reference) : reference]],
    ),
  );
}

/** For people: which images those are. */
function namesOf(images: Readonly<Record<string, string>>): string {
  const [[first] = ["", ""], ...more] = Object.entries(images);
  const digests = Object.entries(images).map(([name, image]) => {
    const digest = shortDigest(digestOf(image));
    return more.length === 0 && first === WORKER_IMAGE ? digest : `${name} ${digest}`;
  });
  return `image${more.length === 0 ? "" : "s"} ${digests.join(", ")}`;
}

/** The images of now that a rollback is about: all, or those that are or were the one. */
function concerned(now: readonly DeployedImage[], only: string | undefined): readonly DeployedImage[] {
  if (only === undefined) return now;
  const own = now.filter(({ name }) => name === only);
  const repositories = own.map(({ reference }) => repositoryOf(reference));
  const earlier = now.filter(
    ({ name, reference }) => name === undefined && repositories.includes(repositoryOf(reference)),
  );
  return [...own, ...earlier];
}

/** The images that run now and that nobody is to run, with what they were built from. */
function leftBehind(
  now: readonly DeployedImage[],
  images: Readonly<Record<string, string>>,
  updates: readonly Update[],
): Pick<Quarantined, "digest" | "sources">[] {
  const kept = Object.values(images).map(digestOf);
  const recorded = updates.flatMap(({ release }) =>
    release === undefined ? [] : Object.values(releasedImages(release)),
  );
  return now
    .map(({ reference, sources }) => ({ digest: digestOf(reference), sources }))
    .filter(({ digest }) => !kept.includes(digest))
    .map(({ digest, sources }) => {
      const known = recorded.find(({ image }) => digestOf(image) === digest);
      return { digest, sources: sources ?? known?.sources ?? null };
    });
}

/** Changed files that a message names. */
const NAMED_FILES = 5;

/**
 * `--worker-only` must change nothing but the image: the program of the checkout has to be what is deployed.
 *
 * @returns the commit to check out where other files of worker groups are deployed; undefined: the checkout will do
 */
function deployedProgram(
  deployed: { readonly commit?: string | null | undefined; readonly dirty: boolean },
  stack: string,
  checkout: string,
): string | undefined {
  const { commit, dirty } = programRevision(checkout);
  const remedy = `check out what is deployed, or leave --worker-only away: npm run rollback -- -s ${stack}`;
  if (typeof deployed.commit !== "string" || deployed.dirty) {
    throw new Failure(
      "what is deployed is of no commit, so nobody can tell whether this checkout is the same; nothing was changed",
      `leave --worker-only away: npm run rollback -- -s ${stack}`,
    );
  }
  if (commit === null) {
    throw new Failure("this checkout is at no commit of a Git repository; nothing was changed", remedy);
  }
  const [here, there] = [commit.slice(0, 12), deployed.commit.slice(0, 12)];
  const changed = changesSince(deployed.commit, commit, checkout);
  if (changed === undefined) {
    throw new Failure(
      `this checkout is at commit ${here}, deployed is ${there}, which this clone does not have; nothing was changed`,
      `git fetch origin ${deployed.commit} (or git fetch --unshallow), then run the command again`,
    );
  }
  if (!changed.every(isGroupFile)) {
    throw new Failure(
      `this checkout is at commit ${here}, deployed is ${there}, and the program differs; nothing was changed`,
      remedy,
      listed(changed),
    );
  }
  if (dirty) {
    throw new Failure(
      `files of the program differ from commit ${here} in this checkout; nothing was changed`,
      `git stash them, or ${remedy}`,
    );
  }
  return changed.length === 0 ? undefined : deployed.commit;
}

/** Stack files and pages are no part of the program: a commit of those changes nothing that is deployed. */
function changesSince(deployed: string, commit: string, checkout: string): string[] | undefined {
  return deployed === commit ? [] : programChanges(checkout, deployed, commit);
}

const listed = (files: readonly string[]): string[] =>
  files.length <= NAMED_FILES
    ? [...files]
    : [...files.slice(0, NAMED_FILES), `and ${files.length - NAMED_FILES} more`];
