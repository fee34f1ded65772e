import { execa } from "execa";
import { protectChild } from "../common/children";
import { exitCodes } from "../common/exitCodes";
import { checkout } from "../common/paths";

/**
 * Runs another command of the project, whose output is passed through. Interrupted, the caller ends after it: npm in
 * between would pass no signal on.
 *
 * @param file its file without `.ts`, from the root of the checkout
 * @returns its exit code
 */
export async function runProjectCommand(file: string, args: readonly string[]): Promise<number> {
  const node = ["--disable-warning=ExperimentalWarning", "--require", "sucrase/register/ts"];
  const child = execa(process.execPath, [...node, `${file}.ts`, ...args], {
    cwd: checkout,
    stdio: "inherit",
    reject: false,
  });
  const ended = protectChild(child);
  try {
    return (await child).exitCode ?? exitCodes.failed;
  } finally {
    ended();
  }
}
