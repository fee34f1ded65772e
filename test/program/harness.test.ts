import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { deploy, uncollectedRejections, valueOf } from "../harness";

class Thing extends pulumi.CustomResource {
  declare readonly size: pulumi.Output<number>;

  constructor(name: string, size: pulumi.Input<number>) {
    super("test:index:Thing", name, { size });
  }
}

describe("harness", () => {
  it("goes red on a failing assertion in an apply that nobody waits for", async () => {
    await assert.rejects(
      deploy(() => {
        new Thing("a", 1).size.apply((size) => assert.equal(size, 2));
      }),
      /1 !== 2/,
    );
  });

  it("goes red on a promise that is rejected behind the program's back", async () => {
    await assert.rejects(
      deploy(() => {
        void Promise.reject(new Error("swallowed"));
      }),
      /swallowed/,
    );
  });

  it("goes red on an input that fails", async () => {
    await assert.rejects(
      deploy(() => {
        new Thing("a", Promise.reject(new Error("no size")));
      }),
      /no size/,
    );
  });

  it("goes red on a throwing program, and leaves nothing behind for the next one", async () => {
    await assert.rejects(
      deploy(() => {
        throw new Error("at once");
      }),
      /at once/,
    );
    assert.deepEqual(uncollectedRejections(), []);
    const { registrations } = await deploy(() => new Thing("b", 3));
    assert.deepEqual(
      registrations.filter(({ custom }) => custom).map(({ name, inputs }) => ({ name, ...inputs })),
      [{ name: "b", size: 3 }],
    );
  });

  it("refuses calls of provider functions that no test expects", async () => {
    await assert.rejects(
      deploy(() => pulumi.runtime.invoke("test:index:look", {})),
      /unexpected invoke test:index:look/,
    );
  });

  it("rejects the value of a failed output", async () => {
    const failed = deploy(() => valueOf(pulumi.output(Promise.reject<number>(new Error("failed output")))));
    await assert.rejects(failed, /failed output/);
  });

  it("records which inputs are secret", async () => {
    const { registrations } = await deploy(() => new Thing("c", pulumi.secret(5)));
    const thing = registrations.find(({ name }) => name === "c");
    assert.deepEqual([thing?.inputs, thing?.secretPaths], [{ size: 5 }, ["size"]]);
  });
});
