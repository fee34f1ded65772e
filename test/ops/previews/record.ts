import { Command } from "commander";
import { z } from "zod";
import { Failure } from "../../../common/failure";
import { runCommand } from "../../../common/command";
import { checkout } from "../../../common/paths";
import { ownPolicyPacks } from "../../../ops/report/runPreview";
import { OfflineStack } from "../../e2e/offlineStack";
import { eventsOf, writeExample } from "./examples";
import { type Scenario, scenarios } from "./scenarios";

/*
 * npm run record:previews: runs the previews of the examples with the real engine and providers, and keeps what the
 * reports are made from; with --render it renders the reports anew from what is kept; with names it records those only.
 * Names that are drawn at random and places of this machine are the same in every recording.
 */

const state = z.looseObject({ outputs: z.unknown() });
const step = z.looseObject({
  metadata: z.looseObject({ op: z.string(), old: state.nullish(), new: state.nullish() }),
});
const event = z.looseObject({
  resourcePreEvent: step.optional(),
  diagnosticEvent: z.looseObject({ severity: z.string(), ephemeral: z.boolean().optional() }).optional(),
  policyEvent: z.looseObject({}).optional(),
  summaryEvent: z.looseObject({}).optional(),
});

const command = new Command("npm run record:previews --")
  .description(
    "Records the previews of the examples with the real engine, or renders the recorded ones anew.",
  )
  .option("--render", "render what is recorded")
  .argument("[names...]", "the examples; default: all");

runCommand<{ readonly render?: boolean }>(command, async ({ render }, _signal, wanted) => {
  const chosen = Object.entries(scenarios).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  if (render === true) {
    for (const name of Object.keys(scenarios)) writeExample(name, eventsOf(name));
    return;
  }
  for (const deployed of new Set(chosen.map(([, scenario]) => scenario.deployed))) {
    const stack = new OfflineStack();
    try {
      await stack.create();
      await stack.deploy(deployed);
      for (const [name, scenario] of chosen.filter(([, other]) => other.deployed === deployed)) {
        await recordExample(stack, name, scenario);
      }
    } finally {
      stack.close();
    }
  }
});

async function recordExample(
  stack: OfflineStack,
  name: string,
  { change, policies = false }: Scenario,
): Promise<void> {
  stack.writeConfig(change);
  const packs = policies ? ownPolicyPacks().flatMap((pack) => ["--policy-pack", pack]) : [];
  const { stdout, stderr } = await stack.events(packs);
  if (stdout === "") throw new Failure(`no preview of ${name}`, "see above", stderr.split("\n"));
  writeExample(name, withoutNoise(stdout, stack.folder));
  console.log(name);
}

function withoutNoise(stdout: string, folder: string): string[] {
  return stdout
    .replaceAll(folder, "/folder")
    .replaceAll(checkout, "/checkout")
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, "http://charts.example.com")
    .replace(/-[0-9a-f]{8}(?=["\\])/g, "-1a2b3c4d")
    .split("\n")
    .flatMap((line) => slim(line) ?? []);
}

/** Of an event what reports are made from; nothing of one that says nothing to them. */
function slim(line: string): string | undefined {
  const parsed = event.safeParse(line.startsWith("{") ? JSON.parse(line) : undefined);
  if (!parsed.success) return undefined;
  const { resourcePreEvent, diagnosticEvent, policyEvent, summaryEvent } = parsed.data;
  if (resourcePreEvent !== undefined) {
    const { metadata } = resourcePreEvent;
    const same = metadata.op === "same" || metadata.op === "read";
    const [old, next] = [metadata.old, metadata.new].map((side) =>
      side && !same ? { ...side, outputs: {} } : null,
    );
    return JSON.stringify({ resourcePreEvent: { metadata: { ...metadata, old, new: next } } });
  }
  if (diagnosticEvent !== undefined) {
    if (diagnosticEvent.severity === "debug" || diagnosticEvent.ephemeral === true) return undefined;
    return JSON.stringify({ diagnosticEvent });
  }
  if (policyEvent !== undefined) return JSON.stringify({ policyEvent });
  return summaryEvent === undefined
    ? undefined
    : JSON.stringify({ summaryEvent: { ...summaryEvent, durationSeconds: 1 } });
}
