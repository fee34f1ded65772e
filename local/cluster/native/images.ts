import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { images, type ImagePin, tools } from "../../../settings/versions";
import { Failure } from "../../../common/failure";
import { cache } from "../../../common/paths";
import { programFolder } from "../../../toolchain/install";
import { type Program, programs } from "../../../toolchain/programs";
import { registryHost } from "./addresses";
import { docker } from "./docker";
import { debianRootFilesystem, nodeDistribution, baseRootFilesystem } from "./rootFilesystems";

const nodeBinary = `node_modules/node-linux-${process.arch}/bin/node`;

/** The reference, by digest, of an image that was pushed. */
export type PinnedReference = (base: Image) => string;

export interface Image {
  /** Repository and tag below the local registry. */
  readonly name: string;
  /** The images that it builds upon. */
  readonly bases?: readonly Image[];
  /**
   * Names its bases by what `pinned` returns, never by tag: whoever uses this machine may push to the registry, which
   * has no login.
   */
  readonly dockerfile: (pinned: PinnedReference) => string;
  /** Makes the build context, if it is not there yet, and returns its folder. */
  readonly context: () => Promise<string>;
}

/** The name under which an equivalent of a published image is kept: the same, without the registry's host. */
export const nameOf = ({ repository, tag }: ImagePin): string =>
  `${repository.replace(/^[^/]+\.[^/]+\//, "")}:${tag}`;

export const contextOf = (program: Program) => (): Promise<string> => Promise.resolve(programFolder(program));

interface ProgramImageOptions {
  readonly base?: Image;
  readonly user?: string;
  readonly args?: readonly string[];
}

export const programImage = (
  name: string,
  program: Program,
  { base, user = "0:0", args = [] }: ProgramImageOptions = {},
): Image => ({
  name: `${name}:${program.version}`,
  ...(base === undefined ? {} : { bases: [base] }),
  dockerfile: (pinned) =>
    [
      `FROM ${base === undefined ? "scratch" : pinned(base)}`,
      `COPY ${program.commands[0]} /${program.commands[0]}`,
      `USER ${user}`,
      `ENTRYPOINT ${JSON.stringify([`/${program.commands[0]}`, ...args])}`,
    ].join("\n"),
  context: contextOf(program),
});

const debian: Image = {
  name: "library/debian:stable-slim",
  dockerfile: () => 'FROM scratch\nCOPY . /\nCMD ["/bin/sh"]',
  context: debianRootFilesystem,
};

const pause: Image = {
  name: "pause:1",
  dockerfile: () => 'FROM scratch\nCOPY catatonit /catatonit\nENTRYPOINT ["/catatonit", "-P"]',
  context: async () => folderOf("pause", { catatonit: "/usr/bin/catatonit" }),
};

const nodeBuild: Image = {
  name: `library/${nameOf(images.workerBuild)}`,
  bases: [debian],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(debian)}`,
      `COPY ${nodeBinary} /usr/local/bin/node`,
      "COPY node_modules/npm /usr/local/lib/node_modules/npm",
      "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx",
      "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
    ].join("\n"),
  context: nodeDistribution,
};

const base: Image = {
  name: "base:2",
  dockerfile: () => "FROM scratch\nCOPY . /",
  context: baseRootFilesystem,
};

const nodeRuntime: Image = {
  name: nameOf(images.workerRuntime),
  bases: [base],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(base)}`,
      `COPY ${nodeBinary} /nodejs/bin/node`,
      "ENV PATH=/nodejs/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
      "USER 65532:65532",
      'ENTRYPOINT ["/nodejs/bin/node"]',
    ].join("\n"),
  context: nodeDistribution,
};

export const localImages = {
  pause,
  debian,
  nodeBuild,
  base,
  nodeRuntime,
  coredns: programImage("coredns/coredns", programs.coredns),
  localPathProvisioner: programImage("rancher/local-path-provisioner", programs.localPathProvisioner),
  metricsServer: programImage("metrics-server/metrics-server", programs.metricsServer),
  temporal: programImage("temporalio/temporal", programs.temporal, {
    base,
    user: "1000:1000",
  }),
} as const satisfies Readonly<Record<string, Image>>;

/** The images that the cluster itself needs. */
export const clusterImages = ["debian", "coredns", "localPathProvisioner"] as const;

/**
 * Builds an image, after those it builds upon, and pushes it to the local registry, unless this very image was pushed before: the
 * registry and the engine keep their data in the cache.
 *
 * @returns the reference by digest
 */
export async function provideImage(image: Image): Promise<string> {
  const reference = `${registryHost}/${image.name}`;
  const dockerfile = await pinnedDockerfile(image, provideImage);
  const record = cache("images", `${digestOf(`${reference}\n${dockerfile}\n${tools.node}`)}.ref`);
  if (existsSync(record)) return readFile(record, "utf8");
  await docker(["build", "--network=host", "--tag", reference, "--file", "-", await image.context()], {
    input: dockerfile,
  });
  await docker(["push", "--quiet", reference]);
  const { stdout } = await docker(["inspect", "--format", '{{join .RepoDigests "\\n"}}', reference]);
  const repository = reference.slice(0, reference.lastIndexOf(":"));
  const pinned = stdout.split("\n").find((line) => line.startsWith(`${repository}@`));
  if (pinned === undefined) {
    throw new Failure(`the image ${reference} has no digest after its push`, "run the command again");
  }
  await mkdir(cache("images"), { recursive: true });
  await writeFile(record, pinned);
  return pinned;
}

/**
 * The Dockerfile of an image with each base by digest.
 *
 * @param provide returns the reference, by digest, of a base
 */
export async function pinnedDockerfile(
  { name, bases = [], dockerfile }: Image,
  provide: (base: Image) => Promise<string>,
): Promise<string> {
  const references = new Map<Image, string>();
  for (const base of bases) references.set(base, await provide(base));
  return dockerfile((base) => {
    const reference = references.get(base);
    if (reference === undefined) throw new Error(`${name} does not list its base ${base.name}`);
    return reference;
  });
}

export async function folderOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = cache("images", name);
  await mkdir(folder, { recursive: true });
  for (const [target, source] of Object.entries(files)) await copyFile(source, join(folder, target));
  return folder;
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
