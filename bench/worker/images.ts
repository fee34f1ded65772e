import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { settingsSchema } from "../../settings/settings";
import { NEVER_BUILT } from "../../components/manifests/contentHash";
import { docker } from "../../common/imageEngine";
import { checkout } from "../../common/paths";
import { recordedCluster } from "../../common/localStack";
import { buildImage } from "../../toolchain/plugins/dockerProvider/build";
import { parseImage } from "../../toolchain/plugins/dockerProvider/inputs";

/**
 * What somebody writes first, as Temporal's samples are built. Without npm's own cache, which a plain `npm ci` would
 * leave in the image, too.
 */
const PLAIN = `ARG BUILD_IMAGE
FROM \${BUILD_IMAGE}
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run build
CMD ["node", "lib/main.js"]
`;

const inspection = z.tuple([
  z.object({ Size: z.number(), RootFS: z.object({ Layers: z.array(z.string()) }) }),
]);

/** A built image. */
export interface Built {
  readonly name: string;
  readonly bytes: number;
  /** Digests, the base's first. */
  readonly layers: readonly string[];
}

/** Builds of the worker from a copy of its sources, on the bases and the engine of the stack that is deployed. */
export class ImageBuilds {
  /** The sources; what is changed here is in the next build. */
  readonly sources: string;
  private readonly folder: string;
  private readonly settings;
  private readonly names: string[] = [];

  /** @throws Failure when no stack is deployed from here: it says which engine and bases to use */
  constructor() {
    const cluster = recordedCluster()?.cluster;
    if (cluster === undefined) {
      throw new Failure(
        "there is no stack whose container engine could build images",
        "run npm run up first, or leave the images out with --no-images",
      );
    }
    // The plugin's code finds the engine there.
    Object.assign(process.env, cluster.imageEnvironment);
    this.settings = settingsSchema.shape.workerImage.parse(cluster.settings["workerImage"]);
    this.folder = mkdtempSync(join(tmpdir(), "temporal-stack-bench-"));
    this.sources = join(this.folder, "worker");
    const original = join(checkout, "worker");
    cpSync(original, this.sources, {
      recursive: true,
      filter: (source) => {
        const [top = ""] = relative(original, source).split(sep);
        // The build replays the recorded histories.
        return top === "test" || !NEVER_BUILT.includes(top);
      },
    });
  }

  /** The worker's own image, as the stack builds it. */
  worker(name: string): Promise<Built> {
    const { baseImages } = this.settings;
    return this.build(name, join(this.sources, "Dockerfile"), {
      BUILD_IMAGE: baseImages.build,
      RUNTIME_IMAGE: baseImages.runtime,
      REVISION: "0123456789abcdef",
      SOURCE_DATE_EPOCH: "1700000000",
    });
  }

  /** The same worker by the plainest Dockerfile. */
  plain(name: string): Promise<Built> {
    const dockerfile = join(this.folder, "Dockerfile");
    writeFileSync(dockerfile, PLAIN);
    return this.build(name, dockerfile, { BUILD_IMAGE: this.settings.baseImages.build });
  }

  /** Removes the images and the sources; the engine keeps what its cache has of them. */
  async remove(): Promise<void> {
    rmSync(this.folder, { recursive: true });
    if (this.names.length > 0) await docker(["image", "rm", "--force", ...this.names]);
  }

  private async build(name: string, dockerfile: string, args: Record<string, string>): Promise<Built> {
    const image = parseImage({
      imageName: `localhost/temporal-stack/${name}:bench`,
      skipPush: true,
      build: { context: this.sources, dockerfile, network: this.settings.buildNetwork, args },
    });
    const log = { info: () => undefined, status: () => undefined, warning: () => undefined };
    await buildImage(image, false, { log, urn: "", signal: new AbortController().signal });
    this.names.push(image.imageName);
    const [{ Size, RootFS }] = inspection.parse(JSON.parse(await docker(["inspect", image.imageName])));
    return { name: image.imageName, bytes: Size, layers: RootFS.Layers };
  }
}
