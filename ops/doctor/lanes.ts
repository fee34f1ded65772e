/** Questions that are open at once: enough for a cluster far away, few enough for its limits. */
const LANES = 8;

/** Does some work for each item, a few at once; the results are in the order of the items. */
export async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const [index, item] of entries) results[index] = await work(item);
    }),
  );
  return results;
}
