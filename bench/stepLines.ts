/** A step that has ended, as a command prints it where there is no terminal. */
export interface FinishedStep {
  readonly title: string;
  readonly seconds: number;
}

const LINE = /^\[COMPLETED\] (?<title>.+) \[(?:(?<minutes>\d+)m)?(?<seconds>\d+(?:\.\d+)?)s\]$/;

/** Reads lines like `[COMPLETED] pulumi up [1m12s]`; other lines say nothing about time. */
export function finishedSteps(output: string): FinishedStep[] {
  return output.split("\n").flatMap((line) => {
    const { title, minutes, seconds } = LINE.exec(line.trimEnd())?.groups ?? {};
    if (title === undefined) return [];
    return [{ title, seconds: Number(minutes ?? 0) * 60 + Number(seconds) }];
  });
}
