import { Failure } from "./failure";

/** A {@link Failure} that an argument, a setting or a stack that is not there causes: trying again does not help. */
export class UsageFailure extends Failure {}
