import { recordProblems } from "../../components/guards/record";
import { releasedImages } from "../../components/guards/releases";
import { UNREADABLE, type Update } from "../history/updates";
import { digestOf, repositoryOf, type StackState } from "../stack/state";

/** Stack outputs that a program must carry on: one without them forgets what its stack remembers. */
export const CARRIED_OUTPUTS = ["quarantine", "releases"] as const;

/** What a clone knows of commits. */
export interface Commits {
  readonly has: (commit: string) => boolean;
  /** Whether the program of a commit has this stack output. */
  readonly exports: (commit: string, output: string) => boolean;
}

/** What decides about whether an update can be gone back to. */
export interface Situation {
  readonly stack: string;
  readonly state: StackState;
  /** Payload keys that workers can read with now. */
  readonly payloadKeys: readonly string[];
  readonly commits: Commits;
}

const UNRECORDED =
  "nobody recorded which image it deployed: its program kept no record of releases, or it is too long ago";

/**
 * Why the workers alone cannot go back to the images of an update.
 * @param only the one image that goes back, by name
 */
export function workerObstacles({ state }: Situation, { release }: Update, only?: string): string[] {
  if (release === undefined) return [UNRECORDED];
  const released = releasedImages(release);
  if (only !== undefined && !(only in released)) return [`its settings had no image "${only}"`];
  const repositories = [...new Set(state.images.map(({ reference }) => repositoryOf(reference)))];
  return Object.entries(released).flatMap(([name, { image }]) =>
    (only !== undefined && name !== only) ||
    !state.images.some((now) => now.name === name) ||
    repositories.includes(repositoryOf(image))
      ? []
      : [
          `its image ${image} is in another repository than those of now, ${repositories.join(", ")}: ${digestOf(image)} may not be there`,
        ],
  );
}

/** Why a stack cannot go back to an update: what guards would refuse, and what is not to be had any more. */
export function stackObstacles(situation: Situation, update: Update): string[] {
  const { stack, state, payloadKeys } = situation;
  const { release } = update;
  if (release === undefined) return [UNRECORDED];
  const lost = payloadKeys.filter((key) => !release.payloadKeys.includes(key));
  const unreadable = Object.entries(update.config)
    .filter(([, { value }]) => value?.includes(UNREADABLE) === true)
    .map(([key]) => key);
  return [
    ...programObstacles(situation, update),
    ...(state.deployed === undefined ? [] : recordProblems(state.deployed, release.deployed, false)),
    ...(lost.length === 0
      ? []
      : [
          `its workers had no payload key ${lost.join(", ")}: they could not read what was encrypted with it since`,
        ]),
    ...(unreadable.length === 0
      ? []
      : [
          `its secrets in ${unreadable.join(", ")} were encrypted with another key than the one of stack ${stack} now`,
        ]),
  ];
}

function programObstacles({ stack, commits }: Situation, { commit, dirty }: Update): string[] {
  if (commit === undefined) return ["its program was in no Git repository: nobody knows which it was"];
  const short = commit.slice(0, 12);
  if (dirty)
    return [`its program differed from commit ${short} when it was deployed: nobody has it any more`];
  if (!commits.has(commit)) {
    return [
      `commit ${short} is not in this clone: get it with git fetch origin ${commit} (or git fetch --unshallow), then run the command again`,
    ];
  }
  return CARRIED_OUTPUTS.every((output) => commits.exports(commit, output))
    ? []
    : [
        `the program of commit ${short} knows no quarantine: it would forget what stack ${stack} remembers of its releases`,
      ];
}
