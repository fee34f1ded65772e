import { Failure } from "./failure";

/** Exit codes of the gate, the same in every release. */
export const exitCodes = {
  /** Every history that was asked for replays. */
  replayed: 0,
  /** The gate did not get its answer: something failed, or not every history could be checked. */
  failed: 1,
  /** Workflows break. */
  incompatible: 3,
  /** Wrong arguments or settings: trying again does not help. */
  settings: 78,
} as const;

/** A {@link Failure} that an argument, a setting or a stack that is not there causes. */
export class SettingsFailure extends Failure {}
