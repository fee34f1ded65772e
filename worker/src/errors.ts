/**
 * An error and what caused it, outermost first, one line each: `type: message`. Application failures are named by
 * their type, as in Temporal's UI.
 */
export function causeChain(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let next = error; next !== undefined && next !== null && !seen.has(next);) {
    seen.add(next);
    if (!(next instanceof Error)) {
      lines.push(typeof next === "string" ? next : JSON.stringify(next));
      break;
    }
    const type = "type" in next && typeof next.type === "string" ? next.type : next.name;
    // An AggregateError of failed connects has a code and no message.
    const code = "code" in next && typeof next.code === "string" ? next.code : "";
    lines.push(`${type}: ${next.message || code}`);
    next = next.cause;
  }
  return lines;
}
