import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Quarantined, quarantineProblem } from "./guards/quarantineGuard";
import { contentHash } from "./manifests/contentHash";
import { type ProgramRevision, sourceRevision } from "./manifests/sourceRevision";
import { keyOf } from "../settings/secretSettings";
import type { Settings } from "../settings/settings";
import { imagePath, imagesOf, type StackImage, WORKER_IMAGE } from "../settings/stackImages";

const PROJECT_FOLDER = join(__dirname, "..");

/** Inputs of {@link WorkerImage}. */
export interface WorkerImageArgs {
  readonly image: ImageToRun;
  /** How images are built. */
  readonly settings: Settings["workerImage"];
  /** The program that deploys it. */
  readonly revision: ProgramRevision;
  /** Images that must not be deployed. */
  readonly quarantine: Promise<readonly Quarantined[]>;
}

/** An image of the settings, and what a build of it would be made from. */
export interface ImageToRun extends StackImage {
  /** Hash of the sources, whoever commits them; undefined if nothing is built. */
  readonly sources: string | undefined;
}

/**
 * Every image of a stack, the one of `workerImage` first.
 * @throws pulumi.RunError when there is nothing to build an image from
 */
export const imagesToRun = (settings: Settings): ImageToRun[] =>
  imagesOf(settings).map((image) => ({ ...image, sources: sourcesOf(image) }));

function sourcesOf({ name, digest, build }: StackImage): string | undefined {
  if (digest !== undefined || build === undefined) return undefined;
  const folder = join(PROJECT_FOLDER, build);
  if (!existsSync(join(folder, "Dockerfile"))) {
    throw new pulumi.RunError(
      `temporal-stack:images.${name}.build: there is no ${build}/Dockerfile in this checkout; add it, or name another folder\nNothing was changed.`,
    );
  }
  return contentHash(folder, []);
}

/**
 * An image that worker groups run: built from a folder and pushed, or, if the settings name a digest, exactly that
 * image without a build.
 */
export class WorkerImage extends pulumi.ComponentResource {
  /** `repository@sha256:...` */
  readonly reference: pulumi.Output<string>;

  constructor(
    name: string,
    { image, settings, revision, quarantine }: WorkerImageArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:WorkerImage", name, {}, opts);
    const { repository, digest, build, platform, sources } = image;
    this.reference =
      digest === undefined && build !== undefined
        ? requireAllowed(
            this.build(name, { repository, build, platform }, settings, opts?.dependsOn).repoDigest,
            image,
            quarantine,
            this,
          )
        : // Known only when nothing speaks against it: until then the stack reads its own state, and writes nothing.
          pulumi.output(quarantine.then(() => `${repository}@${digest ?? ""}`));
    // A rollback reads them from the state, also after an update that failed and left no other record.
    this.registerOutputs({
      name: image.name,
      reference: this.reference,
      sources: sources ?? null,
      ...revision,
    });
  }

  private build(
    name: string,
    { repository, build, platform }: Pick<StackImage, "repository" | "platform"> & { readonly build: string },
    settings: Settings["workerImage"],
    dependsOn: pulumi.ComponentResourceOptions["dependsOn"] = [],
  ): docker.Image {
    const { baseImages, buildNetwork, registry } = settings;
    const folder = join(PROJECT_FOLDER, build);
    const { commit, time } = sourceRevision(folder);
    const args = {
      BUILD_IMAGE: baseImages.build,
      RUNTIME_IMAGE: baseImages.runtime,
      REVISION: commit,
      VERSION: packageVersion(folder),
      CREATED: new Date(time * 1000).toISOString(),
      // Makes BuildKit write this time, instead of that of the build, into the image's configuration.
      SOURCE_DATE_EPOCH: String(time),
      ...(settings.source === undefined ? {} : { SOURCE: settings.source }),
    };
    // A tag for people and for the registry's retention: one for each content, so that none is ever moved.
    const tag = contentHash(folder, [platform, ...Object.values(args)]);
    return new docker.Image(
      `${name}-build`,
      {
        imageName: `${repository}:${tag}`,
        build: {
          context: build,
          dockerfile: `${build}/Dockerfile`,
          platform,
          network: buildNetwork,
          builderVersion: "BuilderBuildKit",
          args,
        },
        buildOnPreview: false,
        skipPush: false,
        ...(registry === undefined
          ? {}
          : {
              registry: {
                server: registry.server ?? registryOf(repository),
                username: registry.username,
                password: registry.password.reveal(),
              },
            }),
      },
      { parent: this, retainOnDelete: true, dependsOn },
    );
  }
}

/** The images of a stack as they are deployed. */
export interface WorkerImages {
  /** The image of `workerImage` by digest. */
  readonly sample: pulumi.Output<string>;
  /** All of them. */
  readonly all: readonly DeployedImage[];
  readonly named: (name: string) => DeployedImage;
}

/** An image as it is deployed. */
interface DeployedImage extends ImageToRun {
  /** `repository@sha256:...` */
  readonly reference: pulumi.Output<string>;
}

/** Builds, or takes, every image of a stack. */
export function workerImages(
  images: readonly ImageToRun[],
  args: Omit<WorkerImageArgs, "image">,
  opts: pulumi.ComponentResourceOptions,
): WorkerImages {
  const all = images.map((image) => {
    const name = image.name === WORKER_IMAGE ? "worker-image" : `worker-image-${image.name}`;
    return { ...image, reference: new WorkerImage(name, { image, ...args }, opts).reference };
  });
  const named = (name: string) => {
    const found = all.find((image) => image.name === name);
    if (found === undefined) throw new Error(`the settings refuse an image "${name}" that is not there`);
    return found;
  };
  return { sample: named(WORKER_IMAGE).reference, all, named };
}

/** Host part of a repository; Docker Hub if it has none. */
export function registryOf(repository: string): string {
  const [host = "", ...path] = repository.split("/");
  const isHost = path.length > 0 && (host.includes(".") || host.includes(":") || host === "localhost");
  return isHost ? host : "docker.io";
}

const packageSchema = z.object({ version: z.string() });

/** Version of the npm package in a folder; `unknown` where there is none. */
function packageVersion(folder: string): string {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return "unknown";
  return packageSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.version ?? "unknown";
}

function requireAllowed(
  reference: pulumi.Output<string>,
  { name, build }: StackImage,
  quarantine: Promise<readonly Quarantined[]>,
  resource: pulumi.Resource,
): pulumi.Output<string> {
  return pulumi.all([reference, quarantine]).apply(([text, entries]) => {
    const [digest] = /sha256:[0-9a-f]{64}$/.exec(text) ?? [];
    const problem = quarantineProblem(entries, { digest, build }, pulumi.getStack());
    if (problem !== undefined) throw new pulumi.ResourceError(problem, resource);
    // A preview may know only the tag; what is deployed must name the content.
    if (digest !== undefined || pulumi.runtime.isDryRun()) return text;
    throw new pulumi.ResourceError(
      `the build gave "${text}" instead of repository@sha256:...; check that the registry of temporal-stack:${keyOf(imagePath(name))}.repository took the push`,
      resource,
    );
  });
}
