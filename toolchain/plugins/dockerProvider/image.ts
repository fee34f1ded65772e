import { existsSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import {
  containsUnknown,
  isMap,
  type PropertyMap,
  sameValue,
  secret,
  withoutSecret,
} from "../runtime/properties";
import type { CheckFailure, Difference, OperationContext, ResourceType } from "../runtime/resource";
import { buildImage } from "./build";
import { hashContext } from "./context";
import { type Build, checkImage, parseImage } from "./inputs";

/** Under this key the state holds the inputs, for the next diff; the official plugin reads and writes the same. */
const INPUTS_KEY = "__inputs";

/** Docker's names of processor architectures, for the default platform. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

function checkFiles({ context, dockerfile }: Build): CheckFailure[] {
  if (!existsSync(context) || !statSync(context).isDirectory()) {
    return [{ property: "build.context", reason: `folder ${JSON.stringify(context)} does not exist` }];
  }
  if (existsSync(dockerfile)) return [];
  const inside = join(context, dockerfile);
  const advice =
    !isAbsolute(dockerfile) && existsSync(inside)
      ? `; try ${JSON.stringify(inside)}: the path is relative to the project, not to the context`
      : "";
  return [
    { property: "build.dockerfile", reason: `file ${JSON.stringify(dockerfile)} does not exist${advice}` },
  ];
}

/** Compares the inputs property by property; a changed password or user name alone is no reason to build. */
function differences(olds: PropertyMap, news: PropertyMap): Difference[] {
  const comparable = (inputs: PropertyMap, property: string) => {
    const value = inputs[property];
    return property === "registry" && isMap(value) ? { server: value["server"] ?? "" } : value;
  };
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])]
    .filter((property) => !sameValue(comparable(olds, property), comparable(news, property)))
    .map((property) => ({
      property,
      kind: olds[property] === undefined ? "add" : news[property] === undefined ? "delete" : "update",
      replace: false,
    }));
}

/** Whether a preview is to build, and can. */
function canBuildInPreview(inputs: PropertyMap, { log }: OperationContext): boolean {
  if (!parseImage(inputs).buildOnPreview) return false;
  if (!containsUnknown(inputs["build"]) && !containsUnknown(inputs["imageName"])) return true;
  log.warning("image name or build arguments are not known yet: previewing without the image build");
  return false;
}

async function build(inputs: PropertyMap, preview: boolean, context: OperationContext): Promise<PropertyMap> {
  if (preview && !canBuildInPreview(inputs, context)) return inputs;
  const image = parseImage(inputs);
  const outputs = await buildImage(image, !preview && !image.skipPush, context);
  return { ...outputs, [INPUTS_KEY]: secret(inputs) };
}

/** `docker:index/image:Image`: builds with the Docker CLI and pushes; deleting it removes nothing. */
export const image: ResourceType = {
  schema: {
    inputs: {
      build: { type: "object" },
      buildOnPreview: { type: "boolean" },
      imageName: { type: "string", required: true },
      registry: { type: "object" },
      skipPush: { type: "boolean" },
    },
    outputs: {
      baseImageName: { type: "string" },
      context: { type: "string" },
      dockerfile: { type: "string" },
      platform: { type: "string" },
      registryServer: { type: "string" },
      repoDigest: { type: "string" },
    },
  },
  async check(inputs) {
    const failures = checkImage(inputs);
    const given = isMap(inputs["build"]) ? inputs["build"] : {};
    const { build: parsed } = parseImage(inputs);
    const completed: PropertyMap = {
      ...given,
      context: given["context"] ?? parsed.context,
      dockerfile: given["dockerfile"] ?? parsed.dockerfile,
      platform: given["platform"] ?? `linux/${ARCHITECTURES[process.arch] ?? process.arch}`,
    };
    if (!containsUnknown(completed["context"]) && !containsUnknown(completed["dockerfile"])) {
      const missing = checkFiles(parsed);
      failures.push(...missing);
      if (missing.length === 0)
        completed["contextDigest"] = await hashContext(parsed.context, parsed.dockerfile);
    }
    return {
      inputs: { ...inputs, buildOnPreview: inputs["buildOnPreview"] ?? false, build: completed },
      failures,
    };
  },
  diff(state, inputs) {
    const olds = withoutSecret(state[INPUTS_KEY]);
    return differences(isMap(olds) ? olds : {}, inputs);
  },
  async create(inputs, preview, context) {
    const state = await build(inputs, preview, context);
    return { id: preview ? "" : parseImage(inputs).imageName, state };
  },
  update: build,
};
