/** A package of Debian that is installed. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Name and version of what it was built from: advisories are about those. */
  readonly source: { readonly name: string; readonly version: string };
  readonly maintainer?: string | undefined;
}

/**
 * Reads records of dpkg: those of `/var/lib/dpkg/status`, or one of the files of `/var/lib/dpkg/status.d`, where
 * distroless images keep them. Packages that were removed are left out.
 */
export function parseDpkgRecords(text: string): DebianPackage[] {
  return text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .flatMap((fields) => {
      const name = fields.get("package");
      const version = fields.get("version");
      const status = fields.get("status");
      if (name === undefined || version === undefined) return [];
      if (status !== undefined && !status.endsWith(" installed")) return [];
      const [, source = name, sourceVersion = version] =
        /^([^\s(]+)(?:\s+\(([^)]+)\))?/.exec(fields.get("source") ?? "") ?? [];
      return [
        {
          name,
          version,
          architecture: fields.get("architecture") ?? "all",
          source: { name: source, version: sourceVersion },
          maintainer: fields.get("maintainer"),
        },
      ];
    });
}

/** Fields of a record by lower-case name; of one that has several lines, the first. */
function fieldsOf(record: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of record.split("\n")) {
    const [, name, value = ""] = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined) fields.set(name.toLowerCase(), value.trim());
  }
  return fields;
}
