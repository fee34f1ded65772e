import type { OwnedField, Pointer } from "./ownership";
import { placeOf } from "./resources";
import type { ObjectManifest } from "./subset";

/**
 * Command that takes out of a live object what others have added: an update of the stack leaves alone what it has not
 * declared. Items of lists are tested first, so that it fails where somebody has changed the list since.
 */
export function removal(manifest: ObjectManifest, additions: readonly OwnedField[]): string {
  const operations = [...additions]
    .filter(({ pointer }, index) => additions.findIndex((other) => same(other.pointer, pointer)) === index)
    .sort((one, other) => backwards(one.pointer, other.pointer))
    .flatMap(({ pointer, keys }) => [
      ...keys.map((key) => ({ op: "test", path: textOf(key.pointer), value: key.value })),
      { op: "remove", path: textOf(pointer) },
    ]);
  return `kubectl patch ${kubectlName(manifest)} --type=json -p ${quoted(JSON.stringify(operations))}`;
}

/** `deployment.v1.apps/worker -n workers` */
export function kubectlName(manifest: ObjectManifest): string {
  const { apiVersion, kind } = manifest;
  const { name, namespace } = placeOf(manifest);
  const [group, version] = apiVersion.split("/");
  const type = version === undefined ? kind.toLowerCase() : `${kind.toLowerCase()}.${version}.${group ?? ""}`;
  return `${quoted(`${type}/${name}`)}${namespace === undefined ? "" : ` -n ${quoted(namespace)}`}`;
}

const same = (one: Pointer, other: Pointer): boolean => textOf(one) === textOf(other);

/** Later items of a list are removed first: that moves no other. */
function backwards(one: Pointer, other: Pointer): number {
  for (const [index, part] of one.entries()) {
    const opposite = other[index];
    if (opposite === undefined) return 1;
    if (part === opposite) continue;
    if (typeof part === "number" && typeof opposite === "number") return opposite - part;
    return String(part) < String(opposite) ? -1 : 1;
  }
  return -1;
}

const textOf = (pointer: Pointer): string =>
  pointer.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const quoted = (text: string): string =>
  /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
