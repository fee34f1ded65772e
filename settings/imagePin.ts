import type { ImagePin } from "./versions";

/** The reference of a pinned image: tag for people, digest for machines. */
export function imagePin(pin: ImagePin): string {
  return `${pin.repository}:${pin.tag}${pin.digest === undefined ? "" : `@${pin.digest}`}`;
}
