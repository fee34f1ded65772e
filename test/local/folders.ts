// To be imported before anything below local/: no test may touch a real cluster's folders.
import assert from "node:assert/strict";
import { root } from "./environment";
import { cacheFolder, stateFolder } from "../../common/paths";

for (const folder of [cacheFolder, stateFolder]) {
  assert.ok(folder.startsWith(root), "common/paths.ts was loaded before the tests' own folders were set");
}

export { root };
