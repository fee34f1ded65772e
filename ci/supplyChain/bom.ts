import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import parseLicense from "spdx-expression-parse";
import { Failure } from "../../common/failure";
import type { LockedPackage, Lockfile } from "./lockfile";
import type { ImageContent } from "./rootFilesystem";

/** What the bill is made from. */
export interface BomSources {
  readonly name: string;
  readonly version: string;
  readonly lockfile: Lockfile;
  /** What the image holds; undefined: only the lock file is known. */
  readonly image: ImageContent | undefined;
}

/** Properties of the bill that say what it does not know. */
export const NPM_FROM = "temporal-stack:npm";
export const DEBIAN_FROM = "temporal-stack:debian";
export const NOT_INCLUDED = "NOT INCLUDED";

const licenses = new Contrib.License.Factories.LicenseFactory(parseLicense);

/**
 * The bill of materials of the worker image as CycloneDX 1.6 JSON. The same image gives the same text: it bears
 * neither a time nor a random number.
 *
 * @throws Failure when the image holds an npm package that the lock file does not have
 */
export function billOfMaterials({ name, version, lockfile, image }: BomSources): string {
  const root = new Models.Component(Enums.ComponentType.Container, name, { bomRef: name, version });
  const packages = npmPackages(lockfile, image);
  const components = [
    ...packages.map(npmComponent),
    ...(image === undefined ? [] : [...nodeComponent(image), ...debianComponents(image)]),
  ];
  for (const { bomRef } of components) root.dependencies.add(bomRef);
  const metadata = new Models.Metadata({
    component: root,
    properties: new Models.PropertyRepository([
      new Models.Property(NPM_FROM, image === undefined ? "all of the lock file" : "those in the image"),
      new Models.Property(
        DEBIAN_FROM,
        (image?.debianPackages.length ?? 0) > 0 ? "those in the image" : NOT_INCLUDED,
      ),
    ]),
  });
  const bom = new Models.Bom({ metadata, components: new Models.ComponentRepository(components) });
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 });
}

/** One of each name and version, of those that run: by the lock file, and by what is in the image. */
function npmPackages({ file, packages }: Lockfile, image: ImageContent | undefined): LockedPackage[] {
  const idOf = ({ name, version }: LockedPackage) => `${name}@${version ?? ""}`;
  const production = packages.filter(({ dev, devOptional, link }) => !dev && !devOptional && !link);
  const unique = new Map(production.map((locked) => [idOf(locked), locked]));
  if (image === undefined) return [...unique.values()];
  const unknown = [...image.npmFiles].filter((id) => !unique.has(id));
  if (unknown.length > 0) {
    throw new Failure(
      `the image holds npm packages that ${file} does not have for production: ${unknown.join(", ")}`,
      "build the image from this commit; if it was, find out how they got into it",
    );
  }
  return [...unique.values()].filter(
    (locked) => image.npmFiles.has(idOf(locked)) || image.npmBundled.has(locked.name),
  );
}

function npmComponent({ name: fullName, version = "", license, integrity }: LockedPackage): Models.Component {
  const [, scope, name = fullName] = /^(@[^/]+)\/(.+)$/.exec(fullName) ?? [];
  const purl = new PackageURL("npm", scope, name, version).toString();
  const sha512 = /^sha512-(.+)$/.exec(integrity ?? "")?.[1];
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: purl,
    ...(scope === undefined ? {} : { group: scope }),
    version,
    purl,
    ...(license === undefined
      ? {}
      : { licenses: new Models.LicenseRepository([licenses.makeFromString(license)]) }),
    ...(sha512 === undefined
      ? {}
      : {
          hashes: new Models.HashDictionary([
            [Enums.HashAlgorithm["SHA-512"], Buffer.from(sha512, "base64").toString("hex")],
          ]),
        }),
  });
}

function nodeComponent({ node }: ImageContent): Models.Component[] {
  if (node === undefined) return [];
  const purl = new PackageURL("github", "nodejs", "node", `v${node}`).toString();
  return [new Models.Component(Enums.ComponentType.Platform, "node", { bomRef: purl, version: node, purl })];
}

function debianComponents({ distribution, debianPackages }: ImageContent): Models.Component[] {
  const distro = distribution === undefined ? {} : { distro: `${distribution.id}-${distribution.version}` };
  const system =
    distribution === undefined
      ? []
      : [
          new Models.Component(Enums.ComponentType.OperatingSystem, distribution.id, {
            bomRef: `${distribution.id}-${distribution.version}`,
            version: distribution.version,
          }),
        ];
  const packages = debianPackages.map(({ name, version, architecture, source, maintainer }) => {
    const upstream = `${source.name}@${source.version}`;
    const qualifiers = { arch: architecture, ...distro, upstream };
    const purl = new PackageURL("deb", distribution?.id ?? "debian", name, version, qualifiers).toString();
    return new Models.Component(Enums.ComponentType.Library, name, {
      bomRef: purl,
      version,
      purl,
      ...(maintainer === undefined
        ? {}
        : { supplier: new Models.OrganizationalEntity({ name: maintainer }) }),
    });
  });
  return [...system, ...packages];
}
