import { DefaultFailureConverter } from "@temporalio/common";

/**
 * Puts messages and stack traces of failures where the payload codec encrypts them. Loaded by path, in the worker
 * and in the workflow bundle, hence the fixed export name.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
