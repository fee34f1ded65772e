import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** File beside Pulumi.yaml with what no setting covers. */
export const TRANSFORMS_FILE = "transforms.ts";

/**
 * Has every resource of the program, children of components included, go through the functions of `transforms.ts`, in
 * their order; does nothing without that file. Call it before any resource is made: those made earlier are not changed.
 * @param root folder of Pulumi.yaml
 * @throws pulumi.RunError if the file cannot be loaded, or exports no list of functions
 */
export function registerTransforms(root = pulumi.getRootDirectory()): void {
  for (const transform of transformsIn(root)) pulumi.runtime.registerResourceTransform(named(transform));
}

function transformsIn(root: string): pulumi.ResourceTransform[] {
  const file = join(root, TRANSFORMS_FILE);
  if (!existsSync(file)) return [];
  const { transforms } = load(file);
  if (Array.isArray(transforms) && transforms.every(isTransform)) return transforms;
  const found = transforms === undefined ? "nothing of that name" : "something else";
  throw new pulumi.RunError(
    `${TRANSFORMS_FILE} must export \`transforms\`, a list of functions (pulumi.ResourceTransform[]), and exports ${found}; see docs/openings.md, or remove the file\nNothing was changed.`,
  );
}

/** What is no function is refused here; what a function returns, the SDK takes or refuses. */
const isTransform = (value: unknown): value is pulumi.ResourceTransform => typeof value === "function";

function load(file: string): { readonly transforms?: unknown } {
  try {
    const module: unknown = createRequire(file)(file);
    return typeof module === "object" && module !== null ? module : {};
  } catch (error) {
    throw new pulumi.RunError(
      `${TRANSFORMS_FILE} cannot be loaded: ${messageOf(error)}; correct it, or remove the file\nNothing was changed.`,
    );
  }
}

/** The engine repeats what a transform throws: without the file's name nobody would know where to look. */
const named =
  (transform: pulumi.ResourceTransform): pulumi.ResourceTransform =>
  async (args) => {
    try {
      return await transform(args);
    } catch (error) {
      throw new Error(`${TRANSFORMS_FILE} failed on ${args.type} ${args.name}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
