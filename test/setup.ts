// Before anything that reads them: no test may touch a real cluster's folders.
import "./local/environment";
import { uncollectedRejections } from "./harness";

// An Output in a string would print a warning text; with this it throws. Must be set before the SDK loads.
process.env["PULUMI_ERROR_OUTPUT_STRING"] = "1";
// Where it failed, and from where. Mocha lifts the limit, and the SDK takes a stack for every one of its promises.
Error.stackTraceLimit = 2;
// Tests decide about the environment of the program themselves.
delete process.env["TEMPORAL_STACK_MACHINE_SETTINGS"];

/** The net below `deploy`: mocha itself ignores rejections that nobody handles. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const errors = uncollectedRejections();
    if (errors.length > 0) throw new AggregateError(errors, `unhandled: ${errors.map(String).join("; ")}`);
  },
};
