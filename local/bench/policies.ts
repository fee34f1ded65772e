import { OfflineEngine } from "../offlineEngine";
import { offlinePreview } from "./offlinePreview";
import { type Figure, median, ratio, seconds } from "./table";

/** By issue 6. */
const LIMIT = 1.2;
const STACK = "prod";
const PACK = ["--policy-pack", "policy"];
const unchanged = (text: string): string => text;

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
      const plain = await offlinePreview(engine, STACK, unchanged);
      const judged = await offlinePreview(engine, STACK, unchanged, PACK);
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
