import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { OfflineEngine } from "../../test/support/offlineEngine";
import { checkout } from "../../common/paths";
import { ADMINISTRATOR, ApiServer } from "./apiServer";

/*
 * The real engine and providers against a real API server without controllers: no pod ever runs, so an update is
 * kept to the namespaces.
 */

const NAMESPACES = ["temporal", "temporal-workers"];
const ID = "{.metadata.labels.temporal-stack/stack-id}";
const ONLY_NAMESPACES = ["--target", "**:StackNamespaces**"];
/** Keys that are no target of an update have no values that anything could be made from. */
const WITHOUT_KEYS = "  temporal-stack:payloadEncryption:\n    enabled: false\n";

/** A clone with a backend of its own, in which the stack is called as in every other: `local`. */
class Clone {
  private readonly engine = new OfflineEngine();

  constructor(private readonly kubeconfig: string) {}

  start(): Promise<void> {
    return this.engine.start("local");
  }

  stop(): void {
    this.engine.stop();
  }

  /** With more settings in the stack file. */
  run(command: readonly string[], settings = "") {
    const file = this.engine.writeStackFile("local", (text) => text + WITHOUT_KEYS + settings);
    const args = [...command, "--stack", "local", "--config-file", file];
    return this.engine.pulumi(args, checkout, { KUBECONFIG: this.kubeconfig });
  }

  up(settings?: string) {
    return this.run(["up", "--yes", "--skip-preview", ...ONLY_NAMESPACES], settings);
  }

  destroy() {
    return this.engine.pulumi(
      ["destroy", "--yes", "--skip-preview", "--stack", "local"],
      this.engine.folder,
      { KUBECONFIG: this.kubeconfig },
    );
  }

  /** Takes a resource out of the state with all that names it, and properties of others, as if they had never been. */
  async forget(name: string, ...properties: readonly string[]): Promise<void> {
    const isIt = (value: unknown): boolean =>
      typeof value === "string"
        ? value.endsWith(`::${name}`)
        : typeof value === "object" && value !== null && "urn" in value && isIt(value.urn);
    const { stdout } = await this.engine.pulumi(["stack", "export", "--stack", "local"]);
    const state: unknown = JSON.parse(stdout, (key, value: unknown) => {
      if (properties.includes(key)) return undefined;
      return Array.isArray(value) ? value.filter((entry) => !isIt(entry)) : value;
    });
    const file = this.engine.file("state.json");
    writeFileSync(file, JSON.stringify(state));
    const { failed, output } = await this.engine.pulumi([
      "stack",
      "import",
      "--stack",
      "local",
      "--file",
      file,
    ]);
    assert.ok(!failed, output);
  }
}

describe("two clones with a stack of one name on one cluster", () => {
  let server: ApiServer;
  let first: Clone;
  let second: Clone;

  const kubectl = async (...args: string[]): Promise<string> => {
    const { exitCode, output } = await server.kubectl(ADMINISTRATOR, args);
    assert.equal(exitCode, 0, output);
    return output;
  };
  const namespaces = () =>
    kubectl("get", "namespaces", ...NAMESPACES, "--output", "jsonpath={.items[*].metadata}");

  before(async () => {
    server = await ApiServer.start();
    const kubeconfig = server.kubeconfig(ADMINISTRATOR);
    [first, second] = [new Clone(kubeconfig), new Clone(kubeconfig)];
    await first.start();
    await second.start();
  });

  after(async () => {
    first.stop();
    second.stop();
    await server.stop();
  });

  it("one deploys, and carries on after an update that failed later", async () => {
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    const again = await first.up();
    assert.ok(!again.failed, again.output);
  });

  it("the other is refused in previews and updates, and its destroy deletes nothing of the first", async () => {
    const before = await namespaces();
    for (const { failed, output } of [await second.run(["preview"]), await second.up()]) {
      assert.ok(failed, output);
      for (const namespace of NAMESPACES)
        assert.match(
          output,
          new RegExp(`namespace "${namespace}" exists already and belongs to another stack`),
        );
      assert.match(output, /namespaces\.adopt/);
    }
    const { failed, output } = await second.destroy();
    assert.ok(!failed, output);
    assert.equal(await namespaces(), before);
    assert.doesNotMatch(before, /deletionTimestamp/);
  });

  it("the first knows its own namespace again after an update that was killed before it wrote that down", async () => {
    const id = await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`);
    await first.forget("namespace-temporal");
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    assert.equal(await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`), id);
  });

  it("a stack of an older version, without an id, gets one", async () => {
    await kubectl("label", "namespaces", ...NAMESPACES, "temporal-stack/stack-id-");
    await first.forget("namespace-stack-id", "temporal-stack/stack-id");
    const { failed, output } = await first.up();
    assert.ok(!failed, output);
    assert.match(
      await kubectl("get", "namespace", "temporal", "--output", `jsonpath=${ID}`),
      /^[0-9a-f-]{36}$/,
    );
  });

  it("the other takes over what its settings name, and only that", async () => {
    const adopt = "  temporal-stack:namespaces:\n    adopt: [temporal]\n";
    const { output } = await second.run(["preview"], adopt);
    assert.doesNotMatch(output, /namespace "temporal" exists already/);
    assert.match(output, /namespace "temporal-workers" exists already/);
  });
});
