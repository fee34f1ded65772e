import type { Quarantined } from "../../components/guards/quarantineGuard";
import { releasedImages } from "../../components/guards/releases";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { digestOf } from "../stack/state";
import type { Update } from "./updates";

const MESSAGE_WIDTH = 60;

/**
 * A stack's history for the terminal, newest first.
 * @param shown at most so many updates
 */
export function historyTable(
  updates: readonly Update[],
  quarantine: readonly Quarantined[],
  shown: number,
): string {
  const rows = updates
    .slice(0, shown)
    .map((update) => [
      update.start.replace(/\.\d+Z$/, "Z"),
      update.kind,
      update.result,
      commitOf(update),
      imagesOf(update, quarantine),
      update.release?.deployed.server?.serverTag.split("@")[0] ?? "-",
      oneLine(update.who ?? "-", 20),
      oneLine(update.message, MESSAGE_WIDTH),
    ]);
  const header = ["started", "kind", "result", "commit", "worker image", "server", "who", "message"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const rest = updates.length - rows.length;
  return [...lines, ...(rest > 0 ? [`and ${rest} more; --all shows them`] : [])].join("\n");
}

function commitOf({ commit, dirty, release, result }: Update): string {
  if (commit === undefined) return "-";
  // Of an update that failed before it recorded anything, only the CLI tells, and that counts stack files, too.
  const told = release !== undefined || result === "succeeded";
  return `${commit.slice(0, 12)}${dirty && told ? " dirty" : ""}`;
}

/** The image of `workerImage` without its name, which older programs did not know, and the others with theirs. */
function imagesOf({ release }: Update, quarantine: readonly Quarantined[]): string {
  if (release === undefined) return "-";
  return Object.entries(releasedImages(release))
    .map(([name, { image }]) => {
      const digest = digestOf(image);
      const held = quarantine.some((entry) => entry.digest === digest);
      return `${name === WORKER_IMAGE ? "" : `${name} `}${shortDigest(digest)}${held ? " quarantine" : ""}`;
    })
    .join(", ");
}

/** Enough of a digest for people to tell it from others. */
export const shortDigest = (digest: string): string => digest.replace("sha256:", "").slice(0, 12);

/** What others wrote, in one line and without anything that a terminal would obey. */
export function oneLine(text: string, width: number): string {
  const plain = text.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  return plain.length <= width ? plain : `${plain.slice(0, width - 1)}…`;
}
