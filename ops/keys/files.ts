import { readFile, writeFile } from "node:fs/promises";
import { UsageFailure } from "../../common/usageFailure";

/** @throws UsageFailure when the file cannot be read */
export async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageFailure(`${file} cannot be read (${codeOf(error)})`, "name a file that there is");
  }
}

/**
 * Writes a new file that only this user can read, or to standard output if none is named.
 *
 * @throws UsageFailure when the file is there already, or cannot be written
 */
export async function writeOutput(file: string | undefined, text: string): Promise<void> {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new UsageFailure(
      `${file} cannot be written (${codeOf(error)})`,
      "name a file that is not there yet, in a folder that is",
    );
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";
