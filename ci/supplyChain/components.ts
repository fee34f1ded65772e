import { readFileSync } from "node:fs";
import { PackageURL } from "packageurl-js";
import { z } from "zod";
import { Failure } from "../../common/failure";

/** What a bill of the worker image has packages of, by the name of the database's archive. */
const EXPECTED = { npm: "npm packages", Debian: "Debian packages", Bitnami: "Node.js" } as const;

/** A component of a bill, as databases of vulnerabilities know it. */
export interface Component {
  /** `npm`, of Debian a release such as `Debian:13`, or `Bitnami`, which has advisories of Node.js itself. */
  readonly ecosystem: string;
  /** For people, and for the list of what is allowed. */
  readonly label: string;
  /** Of a Debian package its source's. */
  readonly name: string;
  readonly version: string;
}

/** What a bill holds, and what of it no database can be asked about. */
export interface Components {
  readonly known: readonly Component[];
  /** Why something is not checked, one line each. */
  readonly unknown: readonly string[];
}

const bomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z
    .array(z.object({ name: z.string(), type: z.string(), purl: z.string().optional() }))
    .default([]),
});

/**
 * Reads a bill of materials in CycloneDX JSON.
 *
 * @throws Failure when it is none
 */
export function readComponents(file: string): Components {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Failure(
      `${file} cannot be read: ${String(error)}`,
      "write it with npm run sbom -- --output FILE",
    );
  }
  const bom = bomSchema.safeParse(content);
  if (!bom.success) {
    throw new Failure(`${file} is no CycloneDX bill`, "write it with npm run sbom -- --output FILE");
  }
  const known: Component[] = [];
  const unknown: string[] = [];
  for (const { name, type, purl } of bom.data.components) {
    if (type === "operating-system") continue;
    const component = purl === undefined ? undefined : componentOf(PackageURL.fromString(purl));
    if (component === undefined) unknown.push(`${purl ?? name}: no database of advisories has its kind`);
    else known.push(component);
  }
  for (const [ecosystem, what] of Object.entries(EXPECTED)) {
    if (!known.some((component) => component.ecosystem.split(":")[0] === ecosystem)) {
      unknown.push(`the bill has no ${what}`);
    }
  }
  return { known, unknown };
}

function componentOf({ type, namespace, name, version, qualifiers }: PackageURL): Component | undefined {
  if (version === undefined) return undefined;
  if (type === "github" && namespace === "nodejs" && name === "node") {
    return { ecosystem: "Bitnami", label: "node", name, version: version.replace(/^v/, "") };
  }
  if (type === "npm") {
    const fullName = typeof namespace === "string" ? `${namespace}/${name}` : name;
    return { ecosystem: "npm", label: `npm:${fullName}`, name: fullName, version };
  }
  const release = /^debian-(\d+)$/.exec(qualifiers?.["distro"] ?? "")?.[1];
  if (type !== "deb" || release === undefined) return undefined;
  const [, source = name, sourceVersion = version] = /^(.+)@(.+)$/.exec(qualifiers?.["upstream"] ?? "") ?? [];
  return { ecosystem: `Debian:${release}`, label: `deb:${source}`, name: source, version: sourceVersion };
}
