import assert from "node:assert/strict";
import { replayCommandOf, SAMPLE_REPLAY } from "../../settings/replay";
import { parseSettings } from "../../settings/settings";
import { LEAST, refusal, source } from "../components/refusal";

describe("replay command of a worker group", () => {
  const images = { mails: { repository: "a/mails", digest: `sha256:${"1".repeat(64)}` } };
  const group = (more: object) => ({ name: "group", taskQueues: ["queue"], ...more });
  const commandOf = (more: object): readonly string[] | undefined =>
    parseSettings(source({ ...LEAST, ...("image" in more ? { images } : {}), workers: [group(more)] }))
      .workers.map(replayCommandOf)
      .at(0);

  it("is the sample's for its image, none for another one, and the one that is named", () => {
    assert.deepEqual(commandOf({}), SAMPLE_REPLAY);
    assert.deepEqual(commandOf({ image: "mails" }), []);
    assert.deepEqual(commandOf({ replay: { command: [] } }), []);
    const command = ["python", "-m", "replay"];
    assert.deepEqual(commandOf({ image: "mails", replay: { command } }), command);
  });

  it("refuses what is no list of words", () => {
    for (const command of ["python replay.py", [""], ["a\u0000"], [1]]) {
      const workers = [group({ replay: { command } })];
      assert.match(refusal({ ...LEAST, workers }), /workers\[0\]\.replay\.command/);
    }
  });
});
