import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { checkout } from "../../common/paths";
import { cliOf, pulumi, type StackCli } from "../../common/pulumi";
import { parseAsEngine } from "../../settings/engineYaml";

const projectSchema = z.object({ name: z.string() });

/** A stack, and where the CLI is asked about it. */
export interface Workspace {
  /** The stack as it was named, with its organization perhaps. */
  readonly stack: string;
  readonly cli: StackCli;
  /** Name of the stack's file. */
  readonly stackFile: string;
  /** Name of the project. */
  readonly project: string;
  /** The checkout whose stack it is. */
  readonly checkout: string;
  /** Temporary folder with copies of the project file and the stack's file. */
  readonly folder: string;
}

/**
 * Opens a folder with copies of the project file and the stack's file for as long as the work takes: the CLI writes
 * the salt of a passphrase to the stack file that it finds, and the checkout's shall stay as it is.
 *
 * @param source folder of the project
 * @param file instead of the stack's file there
 */
export async function withCopies<T>(
  stack: string,
  work: (folder: string) => Promise<T>,
  source: string,
  file = join(source, stackFileOf(stack)),
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-ops-"));
  try {
    await copyFile(join(source, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    if (existsSync(file)) await copyFile(file, join(folder, stackFileOf(stack)));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Opens a workspace for as long as the work takes. */
export const withWorkspace = <T>(
  stack: string,
  work: (workspace: Workspace) => Promise<T>,
  source = checkout,
): Promise<T> =>
  withCopies(
    stack,
    async (folder) => {
      const { name } = projectSchema.parse(
        parseAsEngine(await readFile(join(folder, "Pulumi.yaml"), "utf8"), "Pulumi.yaml"),
      );
      return work({
        stack,
        cli: cliOf(stack),
        stackFile: stackFileOf(stack),
        project: name,
        checkout: source,
        folder,
      });
    },
    source,
  );

/** Name of a stack's file: an organization and a project before the stack's own name are no part of it. */
export const stackFileOf = (stack: string): string => `Pulumi.${stackNameOf(stack)}.yaml`;

/** The name of a stack without its organization and project. */
export const stackNameOf = (stack: string): string => stack.split("/").at(-1) ?? stack;

/** Runs the CLI on the workspace's stack. */
export const askPulumi = (
  { cli, folder }: Pick<Workspace, "cli" | "folder">,
  args: readonly string[],
  input?: string,
): Promise<string> => pulumi(cli, args, { cwd: folder, ...(input === undefined ? {} : { input }) });
