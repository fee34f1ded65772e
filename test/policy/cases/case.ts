import type { Mapping } from "../../../settings/mapping";
import type { Subject } from "../../../policy/subject";
import { changed, declared } from "../manifests";

/** What keeps a policy, and what breaks it, by what is different about it. */
export interface Case {
  readonly keeps: Readonly<Record<string, readonly Subject[]>>;
  readonly breaks: Readonly<Record<string, readonly Subject[]>>;
}

/** One object with a change. */
export function one(object: Mapping, path: string, value: unknown): readonly Subject[] {
  return [declared(changed(object, path, value))];
}
