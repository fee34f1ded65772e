import { z } from "zod";
import { text } from "./fields";
import { WORKER_IMAGE } from "./stackImages";

/** How the sample worker's image replays. */
export const SAMPLE_REPLAY: readonly string[] = ["/nodejs/bin/node", "lib/cli/replay.js"];

const words = "a list of at most 50 words without control characters, the first one a program";

/** How a worker group's image replays the workflows that are open. */
export const replay = z
  .strictObject({
    command: z
      .array(text("a word of 1 to 4096 characters without control characters", /^[^\p{C}]+$/u, 4096), {
        error: words,
      })
      .max(50, { error: words })
      .optional()
      .describe(
        "Program and arguments in the group's image that replay the workflows which are open and print a report (docs/replay.md). By default the sample's; none for groups of another image. Without one the replay gate names the group as NOT CHECKED; `[]` says so.",
      ),
  })
  .prefault({});

/** The command with which a group's image replays; empty if it cannot. */
export const replayCommandOf = ({
  image,
  replay: { command },
}: {
  readonly image: string;
  readonly replay: z.output<typeof replay>;
}): readonly string[] => command ?? (image === WORKER_IMAGE ? SAMPLE_REPLAY : []);
