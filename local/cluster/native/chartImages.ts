import { execa } from "execa";
import { images } from "../../../settings/versions";
import { Failure } from "../../../common/failure";
import { programs } from "../../../toolchain/programs";
import { registryHost } from "./addresses";
import { contextOf, folderOf, type Image, localImages, nameOf, programImage, provideImage } from "./images";
import { debianRelease } from "./rootFilesystems";

const fromRegistry = ({ name }: Image): string => `${registryHost}/${name}`;
const { debian, base, temporal } = localImages;

const noFiles = (): Promise<string> => folderOf("no-files", {});

/** Installs a Debian package in a step of an image's build. */
const install = (name: string): string =>
  "RUN apt-get update && DEBIAN_FRONTEND=noninteractive " +
  `apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold ${name} && ` +
  "rm -rf /var/lib/apt/lists/* /var/cache/apt";

const temporalServer = programImage(images.temporalServer.repository, programs.temporalServer, {
  base,
  user: "1000:1000",
  args: ["start"],
});

const temporalAdminTools: Image = {
  name: nameOf(images.temporalAdminTools),
  bases: [debian, temporal],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(debian)}`,
      "RUN useradd --create-home --uid 1000 temporal",
      `COPY --from=${pinned(temporal)} /temporal /usr/local/bin/temporal`,
      "COPY temporal-sql-tool /usr/local/bin/temporal-sql-tool",
      "COPY schema /etc/temporal/schema/postgresql",
      "USER 1000:1000",
      'CMD ["sleep", "infinity"]',
    ].join("\n"),
  context: contextOf(programs.temporalSqlTool),
};

const temporalUi: Image = {
  name: `${images.temporalUi.repository}:${programs.temporalUi.version}`,
  bases: [base],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(base)}`,
      "WORKDIR /home/ui-server",
      "COPY ui-server ui-server",
      "COPY docker.yaml config/docker.yaml",
      "USER 1000:1000",
      'ENTRYPOINT ["./ui-server", "--env", "docker", "start"]',
    ].join("\n"),
  context: contextOf(programs.temporalUi),
};

const manager = `operator/manager_${process.arch === "x64" ? "amd64" : process.arch}`;

/** The operator looks for the manager of each architecture that Postgres pods may have, and runs its own. */
const cloudNativePgOperator: Image = {
  name: nameOf(images.cloudNativePgOperator),
  bases: [debian, base],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(debian)} AS link`,
      `RUN mkdir /link && ln -s ${manager} /link/manager`,
      `FROM ${pinned(base)}`,
      `COPY manager /${manager}`,
      "COPY --from=link /link /",
      "USER 65532:65532",
      'ENTRYPOINT ["/manager"]',
    ].join("\n"),
  context: contextOf(programs.cloudNativePg),
};

const curl: Image = {
  name: nameOf(images.curl),
  bases: [debian],
  dockerfile: (pinned) =>
    [`FROM ${pinned(debian)}`, install("curl"), "USER 100:101", 'ENTRYPOINT ["curl"]'].join("\n"),
  context: noFiles,
};

/** Major version of PostgreSQL in each release of Debian. */
const postgresMajors: Readonly<Record<string, string>> = { bookworm: "15", trixie: "17" };

async function packagedPostgres(): Promise<Image> {
  const { codename } = await debianRelease();
  const major = postgresMajors[codename];
  if (major === undefined) {
    throw new Failure(
      `the version of PostgreSQL in Debian ${codename} is not known`,
      "add it to local/cluster/native/chartImages.ts",
    );
  }
  const { stdout: record } = await execa("apt-cache", ["show", "--no-all-versions", `postgresql-${major}`]);
  const [, version] = /^Version: ([\d.]+)/m.exec(record) ?? [];
  if (version === undefined) {
    throw new Failure(
      `Debian has no package postgresql-${major} here`,
      "run apt-get update, then this again",
    );
  }
  return postgres(major, version);
}

/**
 * PostgreSQL as the operator wants it: programs on PATH, user 26, no server of its own, and a tag that begins
 * with the version, so that a newer one in Debian is another image.
 */
const postgres = (major: string, version: string): Image => ({
  name: `cloudnative-pg/postgresql:${version}`,
  bases: [debian],
  dockerfile: (pinned) =>
    [
      `FROM ${pinned(debian)}`,
      "RUN mkdir /etc/postgresql-common && echo create_main_cluster = false > /etc/postgresql-common/createcluster.conf",
      `${install(`postgresql-${major}`)} && usermod --uid 26 postgres`,
      `ENV PATH=/usr/lib/postgresql/${major}/bin:/usr/local/bin:/usr/bin:/bin`,
      "USER 26",
    ].join("\n"),
  context: noFiles,
});

/** What the charts' pods run, with any PostgreSQL. */
export const chartImages = {
  cloudNativePgOperator,
  curl,
  postgres,
  temporalAdminTools,
  temporalServer,
  temporalUi,
} as const;

/** References of the images, by tag and digest: the tag tells the program the version. */
export interface ChartImages {
  readonly temporalServer: string;
  readonly temporalAdminTools: string;
  readonly temporalUi: string;
  readonly cloudNativePgOperator: string;
  readonly curl: string;
  readonly postgres: string;
}

/** Builds and pushes what the charts' pods run, unless it is there. */
export async function provideChartImages(): Promise<ChartImages> {
  return {
    cloudNativePgOperator: await provideTagged(cloudNativePgOperator),
    curl: await provideTagged(curl),
    postgres: await provideTagged(await packagedPostgres()),
    temporalAdminTools: await provideTagged(temporalAdminTools),
    temporalServer: await provideTagged(temporalServer),
    temporalUi: await provideTagged(temporalUi),
  };
}

async function provideTagged(image: Image): Promise<string> {
  const pinned = await provideImage(image);
  return `${fromRegistry(image)}${pinned.slice(pinned.indexOf("@"))}`;
}
