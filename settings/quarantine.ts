import { z } from "zod";
import { text } from "./fields";

const digest = text("a digest: sha256: and 64 lower-case hexadecimal digits", /^sha256:[0-9a-f]{64}$/, 71);
const since = text(
  "a time as the output `quarantine` has it, such as 2026-01-31T12:00:00.000Z, in quotes",
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  24,
);
const reason = text("a reason in one line", /^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u, 300);

/** Images that must not come back, and those that may again. The list itself is in the stack's state. */
export const quarantine = z
  .strictObject({
    add: z
      .array(
        z.strictObject({
          digest: digest.describe("The worker image."),
          sources: text("a hash of 16 hexadecimal digits", /^[0-9a-f]{16}$/, 16)
            .optional()
            .describe("Hash of its sources; a new build of the same sources is refused as well."),
          since: since.describe("When it was put there."),
          reason: reason.describe("Why."),
        }),
        { error: "a list of images" },
      )
      .default([])
      .describe(
        "Worker images that no update may deploy from now on, remembered in the state. `npm run rollback` sets it.",
      ),
    release: z
      .array(
        z.strictObject({
          digest: digest.describe("The worker image."),
          since: since.describe("When it was put there: a later quarantine of the same image still holds."),
          reason: reason.describe("Why it may be deployed again."),
        }),
        { error: "a list of images" },
      )
      .default([])
      .describe("Worker images that may be deployed again. `npm run quarantine` writes it."),
  })
  .prefault({});
