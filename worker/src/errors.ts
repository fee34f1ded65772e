/** An error and what caused it, outermost first; what is no error at the end. */
function* chain(error: unknown): Generator {
  const seen = new Set<unknown>();
  for (let next = error; next !== undefined && next !== null && !seen.has(next);) {
    seen.add(next);
    yield next;
    if (!(next instanceof Error)) return;
    next = next.cause;
  }
}

/** Application failures are named by their type, as in Temporal's UI. */
const typeOf = (error: Error): string =>
  "type" in error && typeof error.type === "string" ? error.type : error.name;

/** An error and what caused it, outermost first, one line each: `type: message`. */
export function causeChain(error: unknown): string[] {
  return [...chain(error)].map((next) => {
    if (!(next instanceof Error)) return typeof next === "string" ? next : JSON.stringify(next);
    // An AggregateError of failed connects has a code and no message.
    const code = "code" in next && typeof next.code === "string" ? next.code : "";
    return `${typeOf(next)}: ${next.message || code}`;
  });
}

/** The same without messages. */
export function causeTypes(error: unknown): string[] {
  return [...chain(error)].map((next) => (next instanceof Error ? typeOf(next) : typeof next));
}
