import { ApplicationFailure, proxySinks } from "@temporalio/workflow";
import type { ActivityOptions, Sinks, WorkflowInterceptors } from "@temporalio/workflow";

/** What a workflow asks for with an activity, beside its input, and what it fails with. */
export interface OptionSinks extends Sinks {
  readonly options: {
    scheduled(activityType: string, options: ActivityOptions): void;
    failed(type: string, details: readonly unknown[]): void;
  };
}

const { options } = proxySinks<OptionSinks>();

/** Part of the tests' bundle: tells a sink, where there is one. */
export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          if (error instanceof ApplicationFailure) options.failed(error.type ?? "", error.details ?? []);
          throw error;
        }
      },
    },
  ],
  outbound: [
    {
      scheduleActivity(input, next) {
        options.scheduled(input.activityType, input.options);
        return next(input);
      },
    },
  ],
});
