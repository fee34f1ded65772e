/** Exit codes of every command, the same in every release. */
export const exitCodes = {
  /** Done; nothing differs, everything replays. */
  ok: 0,
  /** Something failed, or not everything that was asked for could be checked. */
  failed: 1,
  /** A preview would change something; what runs differs from what was deployed. */
  changes: 2,
  /** A guard or a policy refuses it, or open workflows would break. */
  refused: 3,
  /** Wrong arguments or settings, or no such stack: the same command fails again. */
  usage: 78,
  /** Interrupted by a signal. */
  interrupted: 130,
} as const;

/** An exit code of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
