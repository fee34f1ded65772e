import { Listr, type ListrTask, PRESET_TIMER } from "listr2";

const TTY_TICK_MS = 1_000;
const PLAIN_TICK_MS = 60_000;

/** What a step tells while it works. */
export interface Step {
  /** Shows a line below the step, in place of the one before. */
  readonly report: (line: string) => void;
}

export interface StepOptions {
  /** Seconds that the step takes when its work has not been done before. */
  readonly estimate?: number;
  /** Whether there is nothing to do: the step is then not shown. */
  readonly done?: () => boolean;
}

/** One visible step of a command. */
export function step(
  title: string,
  work: (step: Step) => Promise<void>,
  { estimate, done }: StepOptions = {},
): ListrTask {
  return {
    title,
    enabled: () => done?.() !== true,
    task: async (_, task) => {
      const report = (line: string): void => {
        task.output = line;
      };
      const started = Date.now();
      const ticker =
        estimate === undefined
          ? undefined
          : setInterval(
              () => {
                const elapsed = elapsedOf(Date.now() - started, estimate * 1_000);
                report(process.stdout.isTTY ? elapsed : `${title}: ${elapsed}`);
              },
              process.stdout.isTTY ? TTY_TICK_MS : PLAIN_TICK_MS,
            );
      try {
        await work({ report });
      } finally {
        clearInterval(ticker);
      }
    },
  };
}

/**
 * Runs one visible step and returns what its work found.
 *
 * @throws what the work throws
 */
export async function runStep<T>(
  title: string,
  work: (step: Step) => Promise<T>,
  options: Pick<StepOptions, "estimate"> = {},
): Promise<T> {
  const found: { readonly value: T }[] = [];
  await runSteps([
    step(
      title,
      async (task) => {
        found.push({ value: await work(task) });
      },
      options,
    ),
  ]);
  const [result] = found;
  if (result === undefined) throw new Error(`step "${title}" was not run`);
  return result.value;
}

/** Steps that run one after the other. */
export const inOrder = (title: string, steps: ListrTask[]): ListrTask => ({
  title,
  enabled: () => steps.length > 0,
  task: (_, task) => task.newListr(steps, { concurrent: false }),
});

/** Steps that run side by side. */
export const sideBySide = (title: string, steps: ListrTask[]): ListrTask => ({
  title,
  enabled: () => steps.length > 0,
  task: (_, task) => task.newListr(steps, { concurrent: true }),
});

const TIMER = { ...PRESET_TIMER, field: stepTime };

/** Runs steps, each with its time behind it: live on a terminal, as plain lines elsewhere. */
export async function runSteps(steps: ListrTask[]): Promise<void> {
  await new Listr(steps, {
    renderer: "default",
    fallbackRenderer: "verbose",
    rendererOptions: {
      timer: TIMER,
      collapseSubtasks: false,
      collapseErrors: false,
      showErrorMessage: false,
    },
    fallbackRendererOptions: { timer: TIMER },
    registerSignalListeners: false,
  }).run();
}

/** How long a step took: `12.3s`, `1m2.3s`. */
export function stepTime(milliseconds: number): string {
  const tenths = Math.round(milliseconds / 100);
  const text = `${((tenths % 600) / 10).toFixed(1)}s`;
  return tenths < 600 ? text : `${Math.floor(tenths / 600)}m${text}`;
}

/** How far a step is in the time that it usually takes. */
export const elapsedOf = (elapsed: number, usual: number): string =>
  elapsed <= usual
    ? `${minutes(elapsed)} of about ${minutes(usual)}`
    : `${minutes(elapsed)}, longer than the usual ${minutes(usual)}`;

export function minutes(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
