/** Global of the workflow isolate that holds the share of traces to sample; not there when tracing is off. */
export const SAMPLE_RATIO_GLOBAL = "__tracingSampleRatio";
