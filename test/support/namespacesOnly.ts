import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { checkout } from "../../common/paths";
import { OfflineEngine } from "./offlineEngine";

/*
 * The real engine and providers against a real API server without controllers: no pod ever runs, so an update is
 * kept to the namespaces.
 */

const ONLY_NAMESPACES = ["--target", "**:StackNamespaces**", "--target", "**:StackIdentity**"];
/** Keys that are no target of an update have no values that anything could be made from. */
const WITHOUT_KEYS = "  temporal-stack:payloadEncryption:\n    enabled: false\n";

/** A clone with a backend of its own, in which the stack is called as in every other: `local`. */
export class Clone {
  private readonly engine = new OfflineEngine();

  /** @param kubeconfig path; it may change */
  constructor(public kubeconfig: string) {}

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

  /** Makes the namespaces, and then fails: a resource that others are made from is no target. */
  upThatFails() {
    const file = this.engine.writeStackFile("local", (text) => text);
    const args = [
      "up",
      "--yes",
      "--skip-preview",
      ...ONLY_NAMESPACES,
      "--stack",
      "local",
      "--config-file",
      file,
    ];
    return this.engine.pulumi(args, checkout, { KUBECONFIG: this.kubeconfig });
  }

  destroy() {
    const args = ["destroy", "--yes", "--skip-preview", "--stack", "local"];
    return this.engine.pulumi(args, this.engine.folder, { KUBECONFIG: this.kubeconfig });
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
