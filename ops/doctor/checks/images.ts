import { imagePath, imagesOf } from "../../../settings/stackImages";
import type { Check, Subject } from "../check";
import { type Finding, failed, notChecked, ok, warning } from "../finding";
import { type ImageLookup, type ImagePlace, lookUpImage, placeOf } from "../registry";

/** Every image that worker groups run, by the registry's own word, with the login that the cluster has for it. */
export const images: Check = {
  name: "images",
  about: "images of the worker groups and their registries, seen from here",
  examine: async (subject) => {
    const findings = imagesOf(subject.settings).map(async ({ name, repository, digest }) => {
      const place = placeOf(repository, digest);
      const login = await clusterLogin(subject, place);
      return imageFindings(imagePath(name).join("."), place, login, await lookUpImage(place, login.auth));
    });
    return (await Promise.all(findings)).flat();
  },
};

/** The login with which pods pull the worker image. */
export interface ClusterLogin {
  /** Secret of it; undefined: pods pull without a login, or with one that the program makes. */
  readonly secret?: string | undefined;
  /** Whether the settings hold a login, of which only the program knows the password. */
  readonly inSettings: boolean;
  /** Base64 of `user:password`. */
  readonly auth?: string | undefined;
}

/** The cluster is asked only where it has such a Secret. */
export async function clusterLogin(subject: Subject, { registry }: ImagePlace): Promise<ClusterLogin> {
  const { workerImage, imagePull, namespaces } = subject.settings;
  const names = [workerImage.pullSecret?.existing ?? [], imagePull.existing].flat();
  const inSettings = workerImage.pullSecret?.password !== undefined || imagePull.login !== undefined;
  for (const secret of names) {
    // Docker Hub's login is kept under the address of its first version.
    const server = registry === "docker.io" ? "index.docker.io/v1/" : registry;
    const auth = await subject.cluster
      .registryLogin(namespaces.workers, secret, server)
      .catch(() => undefined);
    if (auth !== undefined) return { secret, inSettings, auth };
  }
  return { inSettings };
}

/** @param setting key of the settings that describes the image */
export function imageFindings(
  setting: string,
  { registry, path, digest }: ImagePlace,
  { secret, inSettings }: ClusterLogin,
  lookup: ImageLookup,
): Finding[] {
  const image = `${registry}/${path}${digest === undefined ? "" : `@${digest}`}`;
  const by = secret === undefined ? "" : `, with the login of Secret ${secret}`;
  switch (lookup.found) {
    case "image":
      return [ok(`${image} is there${by}`)];
    case "registry":
      return [ok(`${registry} answers${by}; the update builds and pushes ${image}`)];
    case "none":
      return [
        failed(
          `${registry} has no ${image}`,
          `push it, or correct repository and digest of temporal-stack:${setting}`,
        ),
      ];
    case "refused":
      if (secret !== undefined)
        return [
          failed(
            `${registry} refuses ${image}${by}`,
            "give that login the permission to pull, or another one",
          ),
        ];
      return inSettings
        ? [
            warning(
              `${registry} wants a login for ${image}; that of the settings is encrypted and was not tried`,
              "see that its user may pull",
            ),
          ]
        : [
            warning(
              `${registry} wants a login for ${image}, and the settings name none`,
              "set temporal-stack:imagePull or workerImage.pullSecret, unless the nodes have a login of their own",
            ),
          ];
    case "unknown":
      return [
        notChecked(
          `${registry} cannot be asked from here: ${lookup.reason}`,
          "try it from a machine that reaches the registry, or leave it out with --skip images",
        ),
      ];
  }
}
