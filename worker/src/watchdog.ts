/**
 * Bounds a shutdown: calls `onExpired` when `disarm` was not called within `deadlineMs` of the stop. The SDK's own
 * deadline covers activities only, not its last requests to a server that does not answer.
 *
 * @returns disarms it
 */
export function armWatchdog(stop: AbortSignal, deadlineMs: number, onExpired: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(onExpired, deadlineMs);
  };
  if (stop.aborted) arm();
  else stop.addEventListener("abort", arm, { once: true });
  return () => {
    stop.removeEventListener("abort", arm);
    clearTimeout(timer);
  };
}
