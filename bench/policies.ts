import { OfflineEngine } from "../test/support/offlineEngine";
import { offlinePreview } from "./offlinePreview";
import { inTurns } from "./inTurns";
import { type Figure, ratio, seconds } from "./table";

/** By issue 6. */
const LIMIT = 1.2;
const STACK = "prod";
const PACK = ["--policy-pack", "policy"];
const unchanged = (text: string): string => text;

/**
 * Compares previews of the whole stack prod with and without the policy pack, without its cluster.
 *
 * @param runs how often each is measured
 */
export async function policyFigures(runs: number): Promise<Figure[]> {
  const engine = new OfflineEngine();
  try {
    await engine.start(STACK);
    const [plain, judged] = await inTurns(
      runs,
      () => offlinePreview(engine, STACK, unchanged),
      () => offlinePreview(engine, STACK, unchanged, PACK),
    );
    return [
      seconds(`pulumi preview of stack ${STACK} from nothing, median of ${runs}`, plain),
      seconds(`the same with the policy pack, median of ${runs}`, judged),
      ratio(`preview of stack ${STACK} with the policy pack ÷ without`, judged / plain, LIMIT),
    ];
  } finally {
    engine.stop();
  }
}
