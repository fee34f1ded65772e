import type { PostgresClusterSettings } from "../../settings/settings";

/** One change of the stack file that is deployed before the next. */
export interface RotationStep {
  /** For people: what it does. */
  readonly title: string;
  /** Key below `postgres.credentials`. */
  readonly key: readonly [string, ...string[]];
  readonly value: string | number;
}

/** What is left to do until both roles have another password than before. */
export interface RotationPlan {
  /** Whether an earlier rotation was interrupted: what it wrote is deployed first, then it is ended. */
  readonly resumes: boolean;
  readonly steps: readonly RotationStep[];
}

/**
 * The steps of a rotation. A role has one password, and old pods use it until they are gone: so Temporal moves
 * to the idle role first, and only then the role that it has left gets a new password, of which nobody has to know
 * until the next rotation.
 *
 * How far an earlier rotation came is seen from the counters: a whole one leaves those of both roles level when
 * `a` is in use, and that of `a` one ahead when `b` is.
 * @param credentials as they stand in the stack file
 */
export function rotationPlan({
  loginRole,
  passwordGenerations,
}: PostgresClusterSettings["credentials"]): RotationPlan {
  const { a, b } = passwordGenerations;
  const resumes = loginRole === "b" ? a === b : a === b + 1;
  const next = loginRole === "a" ? "b" : "a";
  const left = resumes ? next : loginRole;
  const renew: RotationStep = {
    title: `new password for role ${left}, which nothing uses any more`,
    key: ["passwordGenerations", left],
    value: passwordGenerations[left] + 1,
  };
  if (resumes) return { resumes, steps: [renew] };
  return {
    resumes,
    steps: [{ title: `Temporal moves to role ${next}`, key: ["loginRole"], value: next }, renew],
  };
}
