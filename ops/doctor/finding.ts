/** What a check can say, from best to worst. */
export const VERDICTS = ["ok", "warning", "not checked", "failed"] as const;
/** One of {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** One thing that a check found. */
export interface Finding {
  readonly verdict: Verdict;
  readonly found: string;
  /** What to do; absent where there is nothing to do. */
  readonly remedy?: string;
}

export const ok = (found: string): Finding => ({ verdict: "ok", found });
/** The update will go through, and somebody should know this before. */
export const warning = (found: string, remedy: string): Finding => ({ verdict: "warning", found, remedy });
/** The update would fail, or what it deploys would not work. */
export const failed = (found: string, remedy: string): Finding => ({ verdict: "failed", found, remedy });
/** Nobody knows. */
export const notChecked = (found: string, remedy: string): Finding => ({
  verdict: "not checked",
  found,
  remedy,
});

/** The worst verdict of several; `ok` of none. */
export const worst = (findings: readonly Finding[]): Verdict =>
  VERDICTS[Math.max(0, ...findings.map(({ verdict }) => VERDICTS.indexOf(verdict)))] ?? "ok";
