import { z } from "zod";
import { ifWrongType, oneOf, rule, text } from "./fields";
import { imageRepository } from "./images";
import { dnsLabel } from "./names";

/** The image that `workerImage` describes: every group runs it that names no other. */
export const WORKER_IMAGE = "worker";

/** Platforms of worker images. */
export const imagePlatform = oneOf(["linux/amd64", "linux/arm64"]);

/** Digest of an image. */
export const imageDigest = text("a digest: sha256: and 64 hexadecimal digits", /^sha256:[0-9a-f]{64}$/, 71);

const image = z
  .strictObject({
    repository: imageRepository("an image repository")
      .optional()
      .describe(
        "Repository of the image. With `build` it is where the image is pushed, by default that of `workerImage` with `-` and the name behind it.",
      ),
    digest: imageDigest
      .optional()
      .describe("Digest of an image in the repository; it is run as it is, and nothing is built."),
    build: text(
      "a folder of this repository: worker, or one below workers/, such as workers/billing",
      /^(worker|workers(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+)$/,
      200,
    )
      .optional()
      .describe(
        "Folder with a Dockerfile that the image is built from, from the base images and with the login of `workerImage`.",
      ),
    platform: imagePlatform
      .optional()
      .describe("Platform of the image, on whose nodes its pods run; that of `workerImage` by default."),
  })
  .check(({ value: { repository, digest, build }, issues }) => {
    if (build !== undefined) return;
    if (digest === undefined) {
      issues.push(
        rule(
          "is missing: a tag may be pushed again; name the digest that your pipeline has pushed, or with `build` a folder of this repository to build it from",
          ["digest"],
        ),
      );
    }
    if (repository === undefined) {
      issues.push(rule("is missing; name the repository to which your pipeline pushes", ["repository"]));
    }
  });

/** Images that worker groups may run beside the one of `workerImage`, by name. */
export const stackImages = z
  .record(dnsLabel("an image name", 30), image, ifWrongType("a mapping of names to images"))
  .check(({ value, issues }) => {
    if (WORKER_IMAGE in value) {
      issues.push(
        rule("is the name of the image that workerImage describes; choose another name, or set workerImage", [
          WORKER_IMAGE,
        ]),
      );
    }
  })
  .prefault({});

/** An image that the stack runs. */
export interface StackImage {
  readonly name: string;
  readonly repository: string;
  /** Undefined: it is built. */
  readonly digest: string | undefined;
  /** Folder that it is built from, relative to the project; undefined if it comes from elsewhere. */
  readonly build: string | undefined;
  /** Such as `linux/amd64`. */
  readonly platform: string;
}

/** What {@link imagesOf} reads. */
interface ImageSettings {
  readonly workerImage: {
    readonly repository: string;
    readonly digest?: string | undefined;
    readonly platform: string;
  };
  readonly images: z.output<typeof stackImages>;
}

/** Every image of a stack, the one of `workerImage` first. */
export function imagesOf({ workerImage, images }: ImageSettings): [StackImage, ...StackImage[]] {
  const { repository, digest, platform } = workerImage;
  return [
    { name: WORKER_IMAGE, repository, digest, build: WORKER_IMAGE, platform },
    ...Object.entries(images).map(([name, own]) => ({
      name,
      repository: own.repository ?? `${repository}-${name}`,
      digest: own.digest,
      build: own.build,
      platform: own.platform ?? platform,
    })),
  ];
}

/** The image that a worker group runs; undefined if the stack has no such group. */
export function imageOfGroup(
  settings: ImageSettings & {
    readonly workers: readonly { readonly name: string; readonly image: string }[];
  },
  group: string,
): StackImage | undefined {
  const named = settings.workers.find(({ name }) => name === group)?.image;
  return imagesOf(settings).find(({ name }) => name === named);
}

/** Place of an image in the settings. */
export const imagePath = (name: string): [string, ...string[]] =>
  name === WORKER_IMAGE ? ["workerImage"] : ["images", name];
