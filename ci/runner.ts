import { appendFileSync } from "node:fs";

/** Sets an output of the step that runs; on another machine than a runner of GitHub, prints it. */
export function setOutput(name: string, value: string): void {
  if (/[\r\n]/.test(name + value)) throw new Error(`output ${name} is more than one line`);
  append("GITHUB_OUTPUT", `${name}=${value}`);
}

/** Sets a variable for the later steps of the job; on another machine, prints it. */
export function setVariable(name: string, value: string): void {
  if (/[\r\n]/.test(name + value)) throw new Error(`variable ${name} is more than one line`);
  append("GITHUB_ENV", `${name}=${value}`);
}

/** Puts a folder in front of PATH for the later steps of the job; on another machine, prints it. */
export const addPath = (folder: string): void => append("GITHUB_PATH", folder);

/** Whether GitHub keeps the repository's secrets and variables from the run, as whoever started it is a robot of its own. */
export const lacksSecrets = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env["GITHUB_ACTOR"] === "dependabot[bot]";

/** Adds Markdown to the summary of the run; on another machine, prints it. */
export const addSummary = (markdown: string): void => append("GITHUB_STEP_SUMMARY", markdown);

/** Shows a text at the top of the run as well as in its log; elsewhere, in the log only. */
export function warn(text: string): void {
  const line = text.replaceAll("\n", " ");
  console.error(process.env["GITHUB_ACTIONS"] === "true" ? `::warning::${line}` : line);
}

function append(
  file: "GITHUB_OUTPUT" | "GITHUB_ENV" | "GITHUB_PATH" | "GITHUB_STEP_SUMMARY",
  text: string,
): void {
  const path = process.env[file];
  if (path === undefined || path === "") console.log(text);
  else appendFileSync(path, `${text}\n`);
}
