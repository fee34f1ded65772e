import { type FileGroup, twiceProblem } from "./groupFiles";
import { isMapping, isSet, type Mapping, merge, PROJECT, valueAt } from "./mapping";
import type { SettingPath } from "./secretSettings";

const groupsIn = (stack: Mapping): unknown => stack["workers"] ?? [];

/** Each group once: of two with one name nobody could say which of them is meant. */
export function singleGroups(
  groups: readonly FileGroup[],
  stack: Mapping,
  stackFile: string,
): { readonly groups: FileGroup[]; readonly twice: string[] } {
  const written = groupsIn(stack);
  const names = (Array.isArray(written) ? written : []).map((group: unknown) => valueAt(group, ["name"]));
  return {
    groups: groups.filter(({ name }) => !names.includes(name)),
    twice: groups
      .filter(({ name }) => names.includes(name))
      .map(({ name, file }) =>
        twiceProblem(file, name, `${PROJECT}:workers[${names.indexOf(name)}] (${stackFile})`),
      ),
  };
}

/** The stack file's sections with the groups of other files, whose images its `images` are laid over. */
export function withGroups(stack: Mapping, groups: readonly FileGroup[]): Mapping {
  const { images = {} } = stack;
  const written = groupsIn(stack);
  // What has another form is refused by the schema.
  if (groups.length === 0 || !Array.isArray(written) || !isMapping(images)) return stack;
  const own = Object.fromEntries(
    groups.flatMap(({ name, image }) => (image === undefined ? [] : [[name, image]])),
  );
  const ofStack: readonly unknown[] = written;
  return {
    ...stack,
    workers: [...ofStack, ...groups.map(({ worker }) => worker)],
    ...(Object.keys(own).length === 0 ? {} : { images: merge(own, images) }),
  };
}

/** Groups of files, and what the stack file says beside them. */
interface MergedGroups {
  readonly stack: Mapping;
  readonly groups: readonly FileGroup[];
}

/** A setting in the file of a worker group. */
export interface GroupPlace {
  readonly group: FileGroup;
  /** Place in an entry of `workers`, or below `image`. */
  readonly path: SettingPath;
}

/** Where a setting stands if it is one of a group with a file of its own. */
export function groupPlace({ stack, groups }: MergedGroups, path: SettingPath): GroupPlace | undefined {
  const [section, part, ...rest] = path;
  if (section === "workers" && part !== undefined) {
    const written = groupsIn(stack);
    const group = groups[Number(part) - (Array.isArray(written) ? written.length : 0)];
    return group === undefined ? undefined : { group, path: rest };
  }
  if (section !== "images" || isSet(stack, path)) return undefined;
  const group = groups.find(({ name }) => name === part);
  return group === undefined ? undefined : { group, path: ["image", ...rest] };
}
