import assert from "node:assert/strict";
import type { Mapping } from "../../settings/mapping";
import { parseSettings, type Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { STACK_FILES } from "./stackFiles";

/** The checked settings of one of the tests' own stacks, with sections that differ. */
export function stackSettings(stack: string, changes: Mapping = {}): Settings {
  const source = sourceOfStackFile(STACK_FILES, stack, changes);
  assert.ok(source);
  return parseSettings(source);
}
