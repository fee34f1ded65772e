import { isDeepStrictEqual } from "node:util";
import type { Quarantined } from "../../components/guards/quarantineGuard";
import { type Release, releasedImages } from "../../components/guards/releases";
import { isMapping, PROJECT } from "../../settings/mapping";
import { Failure } from "../../common/failure";
import { digestOf } from "../stack/state";
import type { Update } from "./updates";

/** What is looked for. */
export interface Wanted {
  readonly stack: string;
  /** Beginning of a commit, or a time as {@link timeOf} takes it; undefined: the last good update before now. */
  readonly to: string | undefined;
  /** Whether only worker images go back. */
  readonly workerOnly: boolean;
  /** The one image that goes back, by its name in the settings; undefined: all of them. */
  readonly image?: string | undefined;
  readonly quarantine: readonly Quarantined[];
  /** Why an update cannot be gone back to; none if it can. */
  readonly obstacles: (update: Update) => readonly string[];
}

/** Where to go back from, and to. */
export interface Choice {
  readonly current: Update;
  readonly target: Update;
}

/**
 * The update that decides about what is deployed now.
 *
 * @param updates newest first
 * @throws Failure when nothing is deployed
 */
export function deployedUpdate(updates: readonly Update[], stack: string): Update {
  const current = updates.find(({ kind }) => kind === "update" || kind === "destroy");
  if (current === undefined) {
    throw new Failure(
      `stack ${stack} has no history: nothing was deployed yet`,
      `deploy it with pulumi up -s ${stack}`,
    );
  }
  if (current.kind === "destroy") {
    throw new Failure(
      `stack ${stack} was destroyed on ${current.start}: there is nothing to go back from`,
      `check out the commit that you want and deploy it with pulumi up -s ${stack}`,
    );
  }
  return current;
}

/**
 * Chooses the update to go back to: the last one that succeeded and deployed something else than what is deployed
 * now, and none of whose images is in quarantine; or the one that is asked for.
 *
 * @param updates newest first
 * @throws Failure when there is none, or it cannot be gone back to; with the reasons and what can be done instead
 */
export function chooseUpdate(updates: readonly Update[], wanted: Wanted): Choice {
  const { stack, to, workerOnly, image, quarantine, obstacles } = wanted;
  const current = deployedUpdate(updates, stack);
  const good = updates
    .slice(updates.indexOf(current))
    .filter(({ kind, result }) => kind === "update" && result === "succeeded");
  const others = good.filter((update) => !isSame(update, current, wanted));
  const heldOf = ({ release }: Update): string[] =>
    Object.values(digestsOf(release, image)).filter((own) => quarantine.some(({ digest }) => digest === own));
  const isQuarantined = (update: Update): boolean => heldOf(update).length > 0;
  const candidates =
    to === undefined ? others.filter((update) => !isQuarantined(update)) : asked(good, to, stack);
  const [target] = candidates;
  if (target === undefined) {
    throw new Failure(
      `stack ${stack} has no good update before the one that is deployed${others.length > 0 ? ", except for images in quarantine" : ""}`,
      others.length > 0
        ? `npm run history -- -s ${stack} shows them; npm run quarantine -- -s ${stack} releases an image`
        : "correct what is wrong and deploy it",
    );
  }
  if (to !== undefined && isSame(target, current, wanted)) {
    throw new Failure(
      `${nameOf(target)} is what is deployed now${workerOnly ? `, as far as the ${image === undefined ? "worker image" : `image "${image}"`} goes` : ""}`,
      `choose another update of npm run history -- -s ${stack}`,
    );
  }
  const quarantined = heldOf(target).map(
    (digest) =>
      `its worker image ${digest} is in quarantine: npm run quarantine -- -s ${stack} says why, and releases it`,
  );
  const problems = [...quarantined, ...obstacles(target)];
  if (problems.length > 0) {
    const way = others.find(
      (update) => update !== target && !isQuarantined(update) && obstacles(update).length === 0,
    );
    throw refusal(target, problems, offers(stack, way, workerOnly));
  }
  return { current, target };
}

function refusal(target: Update, problems: readonly string[], remedy: string): Failure {
  return new Failure(`cannot go back to ${nameOf(target)}; nothing was changed`, remedy, problems);
}

function offers(stack: string, way: Update | undefined, workerOnly: boolean): string {
  const command = `npm run rollback -- -s ${stack}`;
  return [
    ...(way === undefined
      ? []
      : [
          `${nameOf(way)} can be gone back to: ${command}${workerOnly ? " --worker-only" : ""} --to ${way.start}`,
        ]),
    ...(workerOnly ? [] : [`the workers alone may be able to go back: ${command} --worker-only`]),
    "or correct what is wrong and deploy forward",
  ].join("; ");
}

/** For people: which update it is. */
export const nameOf = ({ commit, start }: Pick<Update, "commit" | "start">): string =>
  `${commit === undefined ? "the update" : `commit ${commit.slice(0, 12)}`} of ${start}`;

function asked(good: readonly Update[], to: string, stack: string): Update[] {
  const time = timeOf(to);
  const found =
    time === undefined
      ? good.filter(({ commit }) => commit?.startsWith(to.toLowerCase()) === true)
      : good.filter(({ start }) => Date.parse(start) <= time);
  if (found.length > 0) return found;
  throw new Failure(
    time === undefined
      ? `no update of stack ${stack} that succeeded was made from a commit ${to}`
      : `no update of stack ${stack} succeeded before ${new Date(time).toISOString()}`,
    `npm run history -- -s ${stack} lists the updates`,
  );
}

/**
 * A point in time as people write it: `2026-01-31`, `2026-01-31T12:00`, `2026-01-31T12:00:00Z`; UTC if it names no
 * other offset. A date alone means its end.
 *
 * @returns milliseconds since 1970; undefined if it is no time
 */
export function timeOf(text: string): number | undefined {
  const [, date, clock, offset = "Z"] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  if (date === undefined) return undefined;
  const time = Date.parse(`${date}T${clock ?? "23:59:59.999"}${offset}`);
  return Number.isNaN(time) ? undefined : time;
}

/** Digests of a release's images by name, or of the one image. */
function digestsOf(release: Release | undefined, only?: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(release === undefined ? {} : releasedImages(release))
      .filter(([name]) => only === undefined || name === only)
      .map(([name, { image }]) => [name, digestOf(image)]),
  );
}

/** Whether two updates deployed the same: after one that failed nobody knows what is deployed. */
function isSame(
  update: Update,
  current: Update,
  { workerOnly, image }: Pick<Wanted, "workerOnly" | "image">,
): boolean {
  if (update === current) return true;
  if (current.result !== "succeeded" || update.release === undefined || current.release === undefined)
    return false;
  const [then, now] = [digestsOf(update.release, image), digestsOf(current.release, image)];
  // An image that one of them did not have is none to go back to.
  if (workerOnly) return Object.keys(now).every((name) => !(name in then) || then[name] === now[name]);
  return (
    isDeepStrictEqual(then, now) &&
    update.commit === current.commit &&
    update.dirty === current.dirty &&
    isDeepStrictEqual(comparable(update), comparable(current))
  );
}

/** Settings without what a rollback sets by itself, as it says nothing about what was deployed. */
function comparable({ config }: Update): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key !== `${PROJECT}:quarantine`)
      .map(([key, { value }]) => {
        const parsed = parsedOr(value);
        if (key === `${PROJECT}:workerImage`) return [key, withoutDigest(parsed)];
        if (key !== `${PROJECT}:images` || !isMapping(parsed)) return [key, parsed];
        return [
          key,
          Object.fromEntries(Object.entries(parsed).map(([name, own]) => [name, withoutDigest(own)])),
        ];
      }),
  );
}

const withoutDigest = (image: unknown): unknown =>
  isMapping(image) ? { ...image, digest: undefined } : image;

function parsedOr(text: string | undefined): unknown {
  try {
    const parsed: unknown = JSON.parse(text ?? "");
    return parsed;
  } catch {
    return text;
  }
}
