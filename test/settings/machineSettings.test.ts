import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import { LEAST, refusal, source } from "../components/refusal";

describe("settings of this machine", () => {
  const file = (text: string | undefined, stack = "local") => ({
    stack,
    stackFile: `Pulumi.${stack}.yaml`,
    overlay: { file: "/state/machine.yaml", text },
  });
  const overlay = (settings: string, owner = "local", stack = owner) =>
    file(`stack: ${owner}\nsettings: { ${settings} }\n`, stack);

  it("lie over the stack file", () => {
    const settings = parseSettings(
      source(
        LEAST,
        overlay("kubernetes: { context: here }, temporal: { image: 'localhost:5000/temporal:1' }"),
      ),
    );
    assert.equal(settings.kubernetes.context, "here");
    assert.equal(
      settings.temporal.mode === "devServer" && settings.temporal.image,
      "localhost:5000/temporal:1",
    );
    assert.equal(settings.workerImage.repository, "registry.example.com/worker");
  });

  it("may be empty, and for any stack", () => {
    assert.equal(parseSettings(source(LEAST, overlay("", "dev"))).stack, "dev");
  });

  it("are named with their own file and key", () => {
    const message = refusal(LEAST, overlay("workerImage: { digest: 'sha256:1' }, extra: 1"));
    assert.match(message, /- workerImage\.digest \(\/state\/machine\.yaml\): must be a digest/);
    assert.match(message, /- extra \(\/state\/machine\.yaml\): unknown key/);
  });

  it("are refused on every stack but their own, together with other problems", () => {
    const message = refusal(
      { ...LEAST, colour: 1 },
      overlay("kubernetes: { context: here }", "local", "prod"),
    );
    assert.match(message, /^2 problems/);
    assert.match(message, /machine\.yaml, which is for stack "local" on this machine; unset the variable/);
  });

  it("are refused when they cannot be read or do not say for which stack they are", () => {
    assert.match(refusal(LEAST, file(undefined)), /machine\.yaml, which cannot be read; run `npm run up`/);
    for (const text of ["", "- a", "{", "kubernetes: {}", "stack: local\nsettings: []"]) {
      assert.match(refusal(LEAST, file(text)), /not a YAML mapping of a stack's name and settings/);
    }
  });
});
