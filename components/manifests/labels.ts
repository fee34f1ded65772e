import type { Settings } from "../../settings/settings";

/** Labels by key. */
export type Labels = Readonly<Record<string, string>>;

/** Label with the part of a program that a pod is. */
export const COMPONENT = "app.kubernetes.io/component";

/** Labels of everything that any stack of this program makes. */
export const PROGRAM_LABELS: Labels = { "app.kubernetes.io/part-of": "temporal-stack" };

/** Label with the name of the stack that made an object. */
export const STACK_LABEL = "temporal-stack/stack";

/** Label of a namespace with the random id of the stack that owns it. */
export const STACK_ID_LABEL = "temporal-stack/stack-id";

/** Label of a namespace that an administrator made for a stack of this name, until the stack's id stands on it. */
export const RESERVED_LABEL = "temporal-stack/reserved-for";

/** What an object belongs to, in the terms of the recommended Kubernetes labels. */
export interface Identity {
  /** The program: `temporal`, `temporal-worker`. */
  readonly name: string;
  /** Which of several installations: the release or the worker group. */
  readonly instance: string;
  /** Its part: `frontend`, `worker`. */
  readonly component: string;
}

/** Labels by which Deployments, Services and policies find pods. They can never change. */
export function selectorLabels({ name, instance, component }: Identity): Labels {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": instance,
    [COMPONENT]: component,
  };
}

/** What every pod of a group has, whether it works or replays. */
export const groupLabels = ({ name, instance }: Identity): Labels => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/instance": instance,
});

/** Labels of an object that belongs to the stack as a whole. */
export function stackLabels(settings: Pick<Settings, "stack" | "labels">): Labels {
  return {
    ...settings.labels,
    ...PROGRAM_LABELS,
    "app.kubernetes.io/managed-by": "pulumi",
    [STACK_LABEL]: settings.stack,
  };
}

/** All labels of an object that is part of one program. */
export function objectLabels(settings: Pick<Settings, "stack" | "labels">, identity: Identity): Labels {
  return { ...stackLabels(settings), ...selectorLabels(identity) };
}
