const running = new Set<Promise<unknown>>();

/**
 * Keeps a program that must not be torn apart known for as long as it runs. A terminal sends Ctrl-C to the program
 * itself; whoever ends this process by SIGTERM ends it with SIGINT, on which the Pulumi CLI ends in its own time.
 *
 * @returns to be called when the program has ended
 */
export function protectChild(
  child: PromiseLike<unknown> & { readonly kill: (signal: "SIGINT") => boolean },
): () => void {
  const interrupt = (): void => void child.kill("SIGINT");
  const ended = Promise.resolve(child).catch(() => undefined);
  running.add(ended);
  process.on("SIGTERM", interrupt);
  return () => {
    process.off("SIGTERM", interrupt);
    running.delete(ended);
  };
}

/** Resolves when every such program has ended. */
export const runningChildren = (): Promise<unknown> => Promise.all(running);
