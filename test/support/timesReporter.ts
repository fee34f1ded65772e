import { type MochaOptions, reporters, Runner, type Suite } from "mocha";

/** The usual report, and how long the tests of each file took with their hooks. */
class TimesReporter extends reporters.Spec {
  constructor(runner: Runner, options?: MochaOptions) {
    super(runner, options);
    const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_RUN_END } = Runner.constants;
    const seconds = new Map<string, number>();
    let started = 0;
    runner.on(EVENT_SUITE_BEGIN, ({ parent }: Suite) => {
      if (parent?.root === true) started = Date.now();
    });
    runner.on(EVENT_SUITE_END, ({ parent, file = "" }: Suite) => {
      if (parent?.root !== true) return;
      const name = file.replace(/^.*\/test\//, "").replace(/\.test\.ts$/, "");
      seconds.set(name, (seconds.get(name) ?? 0) + (Date.now() - started) / 1_000);
    });
    runner.on(EVENT_RUN_END, () => {
      for (const [file, took] of seconds) console.log(`${took.toFixed(0).padStart(6)} s  ${file}`);
      console.log();
    });
  }
}

// Mocha takes the module itself for the reporter.
export = TimesReporter;
