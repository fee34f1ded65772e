/** Repository and tag of an image reference; the tag keeps its digest, as charts have no key for one. */
export function splitImage(reference: string): { repository: string; tag: string } {
  const name = reference.split("@")[0] ?? reference;
  const colon = name.lastIndexOf(":");
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Version at the beginning of an image's tag: `[1, 31, 2]`. */
export function versionOf(reference: string): number[] {
  const [version = ""] = /^[\d.]+/.exec(splitImage(reference).tag) ?? [];
  return version
    .split(".")
    .filter((part) => part !== "")
    .map(Number);
}

/** Major and minor version of an image, `1.31`. */
export function minorOf(reference: string): string {
  return versionOf(reference).slice(0, 2).join(".");
}
