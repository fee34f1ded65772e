import { DefaultLogger } from "@temporalio/worker";
import type { Logger as SdkLogger } from "@temporalio/worker";
import { LEVELS } from "./logger";
import type { Logger } from "./logger";

/** The SDK's view of our logger: worker, workflow and core lines all end up in it. */
export function sdkLogger(logger: Logger): SdkLogger {
  return new DefaultLogger("TRACE", ({ level, message, meta }) => logger[LEVELS[level]](meta ?? {}, message));
}
