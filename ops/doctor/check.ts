import type { KubeConfig } from "@kubernetes/client-node";
import type { StackCli } from "../../common/pulumi";
import type { Settings } from "../../settings/settings";
import type { ClusterReader } from "./clusterReader";
import type { Finding } from "./finding";

/** What checks look at. What is not there throws {@link Unmet} when it is asked for. */
export interface Subject {
  /** Name of the stack, without organization and project. */
  readonly stack: string;
  readonly cli: StackCli;
  /** The stack's checked settings. */
  readonly settings: Settings;
  /** The cluster, which answers. */
  readonly cluster: ClusterReader;
  /** The way to it. */
  readonly kubeConfig: KubeConfig;
  /** Aborted by an interruption. */
  readonly signal: AbortSignal;
}

/** One question, and who answers it. */
export interface Check {
  /** One word, by which it can be skipped. */
  readonly name: string;
  /** What it looks at, in a few words. */
  readonly about: string;
  /** Longest time, in seconds; 60 by default. */
  readonly seconds?: number;
  /** Whatever it throws means that this was not checked. */
  readonly examine: (subject: Subject) => Promise<readonly Finding[]> | readonly Finding[];
}

/** A check cannot be made, because another one has failed. */
export class Unmet extends Error {}
