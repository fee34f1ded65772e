import type { Archive } from "./archive";
import type { RestoreStep } from "./plan";

/** For people: what of a generation can be restored. */
export function describeArchive({ clusterName, exists, backups, first, last, archiving }: Archive): string {
  const lines = [
    `archive of Cluster ${clusterName}${exists ? "" : ", which is not in the cluster"}`,
    `  first point: ${first?.toISOString() ?? "none"}; last certain point: ${last?.toISOString() ?? "none"}`,
    ...(archiving.state === "fails" ? [`  the log is NOT archived: ${archiving.message}`] : []),
    ...(archiving.state === "unknown" ? ["  whether the log is archived is not known"] : []),
    ...backups.map(
      ({ name, id, state, endedAt, error }) =>
        `  ${name}  ${state}${endedAt === undefined ? "" : ` ${endedAt.toISOString()}`}${id === undefined ? "" : `  id ${id}`}${error === undefined ? "" : `  ${error}`}`,
    ),
    ...(backups.length === 0 ? ["  no base backup is known"] : []),
  ];
  return lines.join("\n");
}

/** For people: what comes next. */
export const describeStep = ({ title, notes }: RestoreStep): string =>
  [`next: ${title}`, ...notes.map((note) => `  - ${note}`)].join("\n");
