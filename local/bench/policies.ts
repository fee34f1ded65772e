import { performance } from "node:perf_hooks";
import { Failure, lastLines } from "../../common/failure";
import { OfflineEngine } from "../offlineEngine";
import { type Figure, median, ratio, seconds } from "./table";

/** By issue 6. */
const LIMIT = 1.2;
const STACK = "prod";
const PACK = ["--policy-pack", "policy"];

/**
 * Compares previews of the whole stack prod with and without the policy pack, without its cluster. The two take
 * turns, so that what else the machine does meets both.
 *
 * @param runs how often each is measured
 */
export async function policyFigures(runs: number): Promise<Figure[]> {
  const engine = new OfflineEngine();
  try {
    await engine.start(STACK);
    const measured: { plain: number[]; judged: number[] } = { plain: [], judged: [] };
    // The first run of each fills the caches of files and is not counted.
    for (let run = 0; run <= runs; run++) {
      const plain = await preview(engine, []);
      const judged = await preview(engine, PACK);
      if (run === 0) continue;
      measured.plain.push(plain);
      measured.judged.push(judged);
    }
    const [plain, judged] = [median(measured.plain), median(measured.judged)];
    return [
      seconds(`pulumi preview of stack ${STACK} from nothing, median of ${runs}`, plain),
      seconds(`the same with the policy pack, median of ${runs}`, judged),
      ratio(`preview of stack ${STACK} with the policy pack ÷ without`, judged / plain, LIMIT),
    ];
  } finally {
    engine.stop();
  }
}

async function preview(engine: OfflineEngine, more: readonly string[]): Promise<number> {
  const started = performance.now();
  const { failed, output } = await engine.run(STACK, (text) => text, ["preview", ...more]);
  if (failed) {
    throw new Failure(
      `the preview of stack ${STACK} failed`,
      "the lines above name the cause; a policy's refusal has no time",
      lastLines(output),
    );
  }
  return (performance.now() - started) / 1_000;
}
