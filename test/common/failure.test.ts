import assert from "node:assert/strict";
import { RunError } from "@pulumi/pulumi/errors";
import { describeFailure, Failure, lastLines } from "../../common/failure";

describe("failures on the terminal", () => {
  it("show problem, details and remedy, without a stack", () => {
    const failure = new Failure("the disk is full", "free some of it", [
      "/dev/sda1 100 %",
      "/dev/sda2 100 %",
    ]);
    assert.equal(
      describeFailure(failure),
      "the disk is full\n  | /dev/sda1 100 %\n  | /dev/sda2 100 %\n→ free some of it",
    );
    assert.equal(describeFailure(new Failure("a problem", "a remedy")), "a problem\n→ a remedy");
  });

  it("show the stack of what nobody expected", () => {
    assert.match(
      describeFailure(new TypeError("x is not a function")),
      /^TypeError: x is not a function\n +at /,
    );
    assert.equal(describeFailure("thrown text"), "thrown text");
    assert.equal(describeFailure(undefined), "undefined");
  });

  it("show what the settings refuse without a stack", () => {
    assert.equal(describeFailure(new RunError("1 problem in the settings")), "1 problem in the settings");
  });

  it("take the last lines that say something", () => {
    assert.deepEqual(lastLines("one\n\n  \ntwo\nthree\n", 2), ["two", "three"]);
    assert.deepEqual(lastLines(""), []);
    assert.equal(lastLines("line\n".repeat(99)).length, 15);
  });
});
