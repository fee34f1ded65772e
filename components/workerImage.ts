import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Quarantined, quarantineProblem } from "./guards/quarantineGuard";
import { contentHash } from "./manifests/contentHash";
import { type ProgramRevision, sourceRevision } from "./manifests/sourceRevision";
import type { Settings } from "../settings/settings";

/** Build context, relative to the project. */
const CONTEXT = "worker";
const FOLDER = join(__dirname, "..", CONTEXT);

/** Inputs of {@link WorkerImage}. */
export interface WorkerImageArgs {
  readonly settings: Settings["workerImage"];
  /** {@link sourcesOf} the settings. */
  readonly sources: string | undefined;
  /** The program that deploys it. */
  readonly revision: ProgramRevision;
  /** Images that must not be deployed. */
  readonly quarantine: Promise<readonly Quarantined[]>;
}

/** Hash of what an image would be built from, whoever commits it; undefined if the settings name a digest. */
export const sourcesOf = (settings: Settings["workerImage"]): string | undefined =>
  settings.digest === undefined ? contentHash(FOLDER, []) : undefined;

/**
 * The image that every worker runs: built from `worker/` and pushed, or, if the settings name a digest,
 * exactly that image without a build.
 */
export class WorkerImage extends pulumi.ComponentResource {
  /** `repository@sha256:...` */
  readonly reference: pulumi.Output<string>;

  constructor(
    name: string,
    { settings, sources, revision, quarantine }: WorkerImageArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:WorkerImage", name, {}, opts);
    this.reference =
      settings.digest === undefined
        ? requireAllowed(this.build(name, settings, opts?.dependsOn).repoDigest, quarantine, this)
        : // Known only when nothing speaks against it: until then the stack reads its own state, and writes nothing.
          pulumi.output(quarantine.then(() => `${settings.repository}@${settings.digest ?? ""}`));
    // A rollback reads them from the state, also after an update that failed and left no other record.
    this.registerOutputs({ reference: this.reference, sources: sources ?? null, ...revision });
  }

  private build(
    name: string,
    settings: Settings["workerImage"],
    dependsOn: pulumi.ComponentResourceOptions["dependsOn"] = [],
  ): docker.Image {
    const { repository, platform, baseImages, buildNetwork, registry } = settings;
    const { commit, time } = sourceRevision(FOLDER);
    const args = {
      BUILD_IMAGE: baseImages.build,
      RUNTIME_IMAGE: baseImages.runtime,
      REVISION: commit,
      VERSION: packageVersion(FOLDER),
      CREATED: new Date(time * 1000).toISOString(),
      // Makes BuildKit write this time, instead of that of the build, into the image's configuration.
      SOURCE_DATE_EPOCH: String(time),
      ...(settings.source === undefined ? {} : { SOURCE: settings.source }),
    };
    // A tag for people and for the registry's retention: one for each content, so that none is ever moved.
    const tag = contentHash(FOLDER, [platform, ...Object.values(args)]);
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

function requireAllowed(
  reference: pulumi.Output<string>,
  quarantine: Promise<readonly Quarantined[]>,
  resource: pulumi.Resource,
): pulumi.Output<string> {
  return pulumi.all([reference, quarantine]).apply(([text, entries]) => {
    const [digest] = /sha256:[0-9a-f]{64}$/.exec(text) ?? [];
    const problem = quarantineProblem(entries, { digest }, pulumi.getStack());
    if (problem !== undefined) throw new pulumi.ResourceError(problem, resource);
    // A preview may know only the tag; what is deployed must name the content.
    if (digest !== undefined || pulumi.runtime.isDryRun()) return text;
    throw new pulumi.ResourceError(
      `the build gave "${text}" instead of repository@sha256:...; check that the registry of temporal-stack:workerImage.repository took the push`,
      resource,
    );
  });
}
