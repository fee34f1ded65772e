import { readFile, writeFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { PROJECT } from "../components/settings/source";

/**
 * Sets one setting in a stack file; comments and everything else stay as they are.
 *
 * @param file path of the stack file
 * @param path section and keys below it, without the project's prefix
 */
export async function setInStackFile(
  file: string,
  [section, ...keys]: readonly [string, ...string[]],
  value: unknown,
): Promise<void> {
  const document = parseDocument(await readFile(file, "utf8"));
  document.setIn(["config", `${PROJECT}:${section}`, ...keys], value);
  await writeFile(file, document.toString({ lineWidth: 0, flowCollectionPadding: false }));
}
