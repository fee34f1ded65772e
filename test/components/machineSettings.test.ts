import assert from "node:assert/strict";
import { parseSettings } from "../../components/settings";
import { LEAST, refusal, source } from "./refusal";

describe("settings of this machine", () => {
  const overlay = (text: string | undefined, stack = "local") => ({
    stack,
    stackFile: `Pulumi.${stack}.yaml`,
    overlay: { file: "/state/machine.yaml", text },
  });

  it("lie over the stack file", () => {
    const text = "kubernetes: { context: here }\ntemporal: { image: 'localhost:5000/temporal:1' }\n";
    const settings = parseSettings(source(LEAST, overlay(text)));
    assert.equal(settings.kubernetes.context, "here");
    assert.equal(
      settings.temporal.mode === "devServer" && settings.temporal.image,
      "localhost:5000/temporal:1",
    );
    assert.equal(settings.workerImage.repository, "registry.example.com/worker");
  });

  it("may be empty", () => {
    assert.equal(parseSettings(source(LEAST, overlay(""))).stack, "local");
  });

  it("are named with their own file and key", () => {
    const message = refusal(LEAST, overlay("workerImage: { digest: sha256:1 }\nextra: 1\n"));
    assert.match(message, /- workerImage\.digest \(\/state\/machine\.yaml\): expected a digest/);
    assert.match(message, /- extra \(\/state\/machine\.yaml\): unknown key/);
  });

  it("are refused on every stack but local, together with other problems", () => {
    const message = refusal({ ...LEAST, colour: 1 }, overlay("kubernetes: { context: here }", "prod"));
    assert.match(message, /^2 problems/);
    assert.match(message, /TEMPORAL_STACK_MACHINE_SETTINGS is set, but only stack "local"/);
  });

  it("are refused when they cannot be read or are no mapping", () => {
    assert.match(refusal(LEAST, overlay(undefined)), /machine\.yaml, which cannot be read; run `npm run up`/);
    assert.match(refusal(LEAST, overlay("- a")), /not a YAML mapping/);
    assert.match(refusal(LEAST, overlay("{")), /not a YAML mapping/);
  });
});
