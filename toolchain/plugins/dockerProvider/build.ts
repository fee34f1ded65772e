import { posix, relative, sep } from "node:path";
import type { PropertyMap } from "../runtime/properties";
import type { OperationContext } from "../runtime/resource";
import { docker } from "./cli";
import { withRegistry } from "./credentials";
import type { Build, Image } from "./inputs";
import { applySourceDate } from "./sourceDate";

/** BuildKit's lines that only repeat a step's digest. */
const DIGEST_LINE = /^#\d+ sha256:[0-9a-f]{64}$/;

function flags(name: string, values: readonly (string | undefined)[]): string[] {
  return values.flatMap((value) => (value === undefined ? [] : [`--${name}`, value]));
}

/** Arguments of `docker build` for an image. */
export function buildArguments(image: Image): string[] {
  const { build } = image;
  const network = build.network === "default" ? undefined : build.network;
  return [
    "build",
    ...(usesBuildKit(build) ? ["--progress", "plain"] : []),
    ...flags("file", [build.dockerfile]),
    ...flags("tag", [image.imageName]),
    ...flags("platform", [build.platform]),
    ...flags("target", [build.target]),
    ...flags("network", [network]),
    ...flags("add-host", build.addHosts),
    ...flags("cache-from", build.cacheFrom),
    ...flags(
      "build-arg",
      Object.entries(build.args).map(([name, value]) => `${name}=${value}`),
    ),
    build.context,
  ];
}

function usesBuildKit(build: Build): boolean {
  return build.builderVersion === "BuilderBuildKit";
}

/** The name without its tag; a colon before the last slash belongs to the registry's port. */
export function repositoryOf(imageName: string): string {
  const colon = imageName.lastIndexOf(":");
  return colon > imageName.lastIndexOf("/") ? imageName.slice(0, colon) : imageName;
}

/** The digest that `docker push` reports; a local look-up only where it reports none. */
async function pushedDigest(image: Image, pushOutput: string, signal: AbortSignal): Promise<string> {
  const repository = repositoryOf(image.imageName);
  const reported = /digest: (sha256:[0-9a-f]{64})/.exec(pushOutput)?.[1];
  if (reported !== undefined) return `${repository}@${reported}`;
  const format = ["--format", "{{range .RepoDigests}}{{println .}}{{end}}"];
  const output = await docker(["image", "inspect", ...format, image.imageName], { signal });
  const digest = output.split("\n").find((line) => line.startsWith(`${repository}@`));
  if (digest !== undefined) return digest;
  throw new Error(`${image.imageName} was pushed, but Docker reports no digest for ${repository}`);
}

/**
 * Builds the image and, unless told otherwise, pushes it.
 *
 * @param push False in previews and with `skipPush`.
 * @returns The outputs of the resource. `repoDigest` is `repository@sha256:…` of what was pushed, or the local
 * image's id if nothing was.
 * @throws Error with the output of the failing build step.
 */
export async function buildImage(
  image: Image,
  push: boolean,
  context: OperationContext,
): Promise<PropertyMap> {
  const { log, signal } = context;
  const { build } = image;
  if ((image.registry.username === "") !== (image.registry.password === "")) {
    const missing = image.registry.username === "" ? "username" : "password";
    log.warning(`registry.${missing} was not set: using the credentials of the Docker configuration`);
  }
  const arguments_ = buildArguments(image);
  const repoDigest = await withRegistry(image, signal, async (environment) => {
    log.status("Starting Docker build");
    await docker(arguments_, {
      environment: { ...environment, DOCKER_BUILDKIT: usesBuildKit(build) ? "1" : "0" },
      onLine: (line) => {
        if (!DIGEST_LINE.test(line)) log.status(line);
      },
      signal,
    });
    await applySourceDate(image, signal);
    if (!push)
      return (await docker(["image", "inspect", "--format", "{{.Id}}", image.imageName], { signal })).trim();
    log.status("Pushing image to the registry");
    const output = await docker(["push", image.imageName], { environment, onLine: log.status, signal });
    return pushedDigest(image, output, signal);
  });
  return {
    baseImageName: image.imageName,
    context: build.context,
    dockerfile: relative(build.context, build.dockerfile).split(sep).join(posix.sep),
    imageName: image.imageName,
    ...(build.platform === undefined ? {} : { platform: build.platform }),
    registryServer: image.registry.server,
    repoDigest,
  };
}
