import { parse, stringify } from "yaml";
import { z } from "zod";
import { OfflineEngine } from "../test/support/offlineEngine";
import { offlinePreview } from "./offlinePreview";
import { inTurns } from "./inTurns";
import { type Figure, ratio, seconds } from "./table";

/** By issue 5. */
const LIMIT = 6;
const STACK = "prod";
const MANY = 100;

const WORKERS = "temporal-stack:workers";
const fileSchema = z.looseObject({
  config: z.looseObject({ [WORKERS]: z.tuple([z.looseObject({})], z.unknown()) }),
});

/**
 * Compares previews of the whole stack prod with many worker groups and with one, without its cluster.
 *
 * @param runs how often each is measured
 */
export async function workerGroupFigures(runs: number): Promise<Figure[]> {
  const engine = new OfflineEngine();
  try {
    await engine.start(STACK);
    const [one, many] = await inTurns(
      runs,
      () => offlinePreview(engine, STACK, withGroups(1)),
      () => offlinePreview(engine, STACK, withGroups(MANY)),
    );
    return [
      seconds(`pulumi preview of stack ${STACK} with 1 worker group, median of ${runs}`, one),
      seconds(`the same with ${MANY} worker groups, median of ${runs}`, many),
      ratio(`preview with ${MANY} worker groups ÷ with 1`, many / one, LIMIT),
    ];
  } finally {
    engine.stop();
  }
}

/** Changes a stack file: as many worker groups as asked for, each like its first one but of another name. */
export const withGroups =
  (count: number) =>
  (text: string): string => {
    const file = fileSchema.parse(parse(text));
    const [first] = file.config[WORKERS];
    const groups = Array.from({ length: count }, (_, index) => ({
      ...first,
      name: `group-${index}`,
      taskQueues: [`queue-${index}`],
    }));
    return stringify({ ...file, config: { ...file.config, [WORKERS]: groups } });
  };
