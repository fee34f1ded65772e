import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { contentHash } from "./manifests/contentHash";
import { sourceRevision } from "./manifests/sourceRevision";
import type { Settings } from "./settings";

/** Build context, relative to the project. */
const CONTEXT = "worker";

/** Inputs of {@link WorkerImage}. */
export interface WorkerImageArgs {
  readonly settings: Settings["workerImage"];
}

/**
 * The image that every worker runs: built from `worker/` and pushed, or, if the settings name a digest,
 * exactly that image without a build.
 */
export class WorkerImage extends pulumi.ComponentResource {
  /** `repository@sha256:...` */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, { settings }: WorkerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:WorkerImage", name, {}, opts);
    this.reference =
      settings.digest === undefined
        ? requireDigest(this.build(name, settings, opts?.dependsOn).repoDigest, this)
        : pulumi.output(`${settings.repository}@${settings.digest}`);
    this.registerOutputs({ reference: this.reference });
  }

  private build(
    name: string,
    settings: Settings["workerImage"],
    dependsOn: pulumi.ComponentResourceOptions["dependsOn"] = [],
  ): docker.Image {
    const { repository, platform, baseImages, buildNetwork, registry } = settings;
    const folder = join(__dirname, "..", CONTEXT);
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
          context: CONTEXT,
          dockerfile: `${CONTEXT}/Dockerfile`,
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

/** Host part of a repository; Docker Hub if it has none. */
export function registryOf(repository: string): string {
  const [host = "", ...path] = repository.split("/");
  const isHost = path.length > 0 && (host.includes(".") || host.includes(":") || host === "localhost");
  return isHost ? host : "docker.io";
}

const packageSchema = z.object({ version: z.string() });

const packageVersion = (folder: string): string =>
  packageSchema.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))).version;

function requireDigest(reference: pulumi.Output<string>, resource: pulumi.Resource): pulumi.Output<string> {
  return reference.apply((text) => {
    // A preview may know only the tag; what is deployed must name the content.
    if (/@sha256:[0-9a-f]{64}$/.test(text) || pulumi.runtime.isDryRun()) return text;
    throw new pulumi.ResourceError(
      `the build gave "${text}" instead of repository@sha256:...; check that the registry of temporal-stack:workerImage.repository took the push`,
      resource,
    );
  });
}
