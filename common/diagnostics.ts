import { lastLines } from "./failure";

/** The part of Pulumi's output that says what is wrong: progress lines come before it, counts after it. */
export const diagnostics = (output: string): string[] =>
  lastLines(/^Diagnostics:\n([^]*?)(?=^(?:Outputs|Resources|Duration):)/m.exec(output)?.[1] ?? output, 40);
