import { posix } from "node:path";
import { containsUnknown, isMap, type PropertyMap, type PropertyValue } from "../runtime/properties";
import type { CheckFailure } from "../runtime/resource";

/** How to build an image. Paths are relative to the project's folder. */
export interface Build {
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  readonly builderVersion: string;
  readonly cacheFrom: readonly string[];
  /** Entries `host:ip`. */
  readonly addHosts: readonly string[];
}

/** Where to push to, and as whom. Without user and password the Docker CLI's own credentials are used. */
export interface Registry {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

/** Inputs of `docker:index/image:Image`. */
export interface Image {
  readonly imageName: string;
  readonly build: Build;
  readonly registry: Registry;
  readonly skipPush: boolean;
  readonly buildOnPreview: boolean;
}

export const BUILDERS = ["BuilderBuildKit", "BuilderV1"] as const;

/** Values not known yet count as absent. */
function known(map: PropertyMap, key: string): PropertyValue | undefined {
  const value = map[key];
  return containsUnknown(value) ? undefined : value;
}

function text(map: PropertyMap, key: string): string | undefined {
  const value = known(map, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function texts(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function map(inputs: PropertyMap, key: string): PropertyMap {
  const value = inputs[key];
  return isMap(value) ? value : {};
}

/** Reads the inputs with the official provider's defaults: context `.`, `Dockerfile` inside it, BuildKit. */
export function parseImage(inputs: PropertyMap): Image {
  const build = map(inputs, "build");
  const registry = map(inputs, "registry");
  const context = text(build, "context") ?? ".";
  const args = Object.entries(map(build, "args")).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && !containsUnknown(entry[1]),
  );
  return {
    imageName: text(inputs, "imageName") ?? "",
    skipPush: inputs["skipPush"] === true,
    buildOnPreview: inputs["buildOnPreview"] === true,
    registry: {
      server: text(registry, "server") ?? "",
      username: text(registry, "username") ?? "",
      password: text(registry, "password") ?? "",
    },
    build: {
      context,
      dockerfile: text(build, "dockerfile") ?? posix.join(context, "Dockerfile"),
      args: Object.fromEntries(args),
      target: text(build, "target"),
      platform: text(build, "platform"),
      network: text(build, "network"),
      builderVersion: text(build, "builderVersion") ?? BUILDERS[0],
      cacheFrom: texts(map(build, "cacheFrom")["images"]),
      addHosts: texts(build["addHosts"]),
    },
  };
}

/** Whether the name says which registry it is in: its first part has a dot or a port, or is `localhost`. */
function isFullyQualified(name: string): boolean {
  const slash = name.indexOf("/");
  const host = name.slice(0, slash);
  return slash > 0 && (host === "localhost" || host.includes(".") || host.includes(":"));
}

/** Finds inputs that can be refused without touching the file system. */
export function checkImage(inputs: PropertyMap): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const image = parseImage(inputs);
  const { build } = image;
  if (inputs["imageName"] === undefined) {
    failures.push({ property: "imageName", reason: "required: expected repository[:tag]" });
  }
  for (const name of [image.skipPush ? "" : image.imageName, ...build.cacheFrom]) {
    if (name !== "" && !isFullyQualified(name)) {
      failures.push({
        property: name === image.imageName ? "imageName" : "build.cacheFrom.images",
        reason:
          `${JSON.stringify(name)} must be fully qualified to be pushed or pulled: begin with the registry, ` +
          "for example docker.io/user/image:tag",
      });
    }
  }
  if (!BUILDERS.some((builder) => builder === build.builderVersion)) {
    failures.push({
      property: "build.builderVersion",
      reason: `expected one of ${BUILDERS.join(", ")}, got ${JSON.stringify(build.builderVersion)}`,
    });
  }
  const cacheFrom = map(inputs, "build")["cacheFrom"];
  if (isMap(cacheFrom) && cacheFrom["images"] === undefined) {
    failures.push({ property: "build.cacheFrom", reason: "expected a list of image names under images" });
  }
  return failures;
}
