import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi/errors";
import { placesIn } from "./encryptedPlaces";
import { parseAsEngine, unopenedMapping } from "./engineYaml";
import { isMapping, type Mapping, merge } from "./mapping";
import { keyOf } from "./secretSettings";

/** Folder of the files with one worker group each, in the root of the project. */
export const GROUP_FOLDER = "workers";

const GROUP_FILE = /^(.+)\.ya?ml$/;
const STACK_FILE = /^Pulumi\.(.+)\.yaml$/;

/** Whether a file, by its path from the root of the project, is one of a worker group. */
export const isGroupFile = (file: string): boolean =>
  file.startsWith(`${GROUP_FOLDER}/`) &&
  !file.slice(GROUP_FOLDER.length + 1).includes("/") &&
  GROUP_FILE.test(file);

/** What stands under `workers/`, and what it is checked against. */
export interface GroupFiles {
  /** By the name that messages say, in order. */
  readonly files: readonly { readonly file: string; readonly text: string }[];
  /** The stacks that have a file. */
  readonly stacks: readonly string[];
}

/** A worker group that has a file of its own. */
export interface FileGroup {
  readonly name: string;
  readonly file: string;
  /** As an entry of `workers`. */
  readonly worker: Mapping;
  /** The image that the file describes, as an entry of `images` under the group's name. */
  readonly image: Mapping | undefined;
  /** What the file says for this stack alone. */
  readonly own: Mapping;
}

/**
 * The files of worker groups in a project.
 * @param root folder of Pulumi.yaml
 * @param edited texts by name of file, instead of those that are written
 */
export function readGroupFiles(root: string, edited: Readonly<Record<string, string>> = {}): GroupFiles {
  const files = namesIn(join(root, GROUP_FOLDER))
    .filter((name) => GROUP_FILE.test(name))
    .map((name) => `${GROUP_FOLDER}/${name}`)
    .map((file) => ({ file, text: edited[file] ?? readFileSync(join(root, file), "utf8") }));
  return { files, stacks: namesIn(root).flatMap((name) => STACK_FILE.exec(name)?.[1] ?? []) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    // Most projects have no such folder, and a run under mocks has no project.
    return [];
  }
}

/**
 * The stacks that a group's file names.
 * @returns undefined if it cannot be read as one
 */
export function stacksOfGroupFile(text: string): string[] | undefined {
  try {
    const parsed = parseAsEngine(text, GROUP_FOLDER);
    const stacks = isMapping(parsed) ? parsed["stacks"] : undefined;
    return isMapping(stacks) ? Object.keys(stacks) : undefined;
  } catch {
    return undefined;
  }
}

/** The groups that run in a stack, and what is wrong with files, whichever stack they are for. */
export function groupsOf(
  { files, stacks }: GroupFiles,
  stack: string,
): { readonly groups: FileGroup[]; readonly problems: string[] } {
  const names = files.map(({ file }) => nameOf(file));
  const read = files.map(({ file, text }, position): ReadGroup => {
    const earlier = files[names.indexOf(nameOf(file))];
    return earlier === undefined || earlier.file === file
      ? readGroup(file, text, stack, stacks)
      : { problems: [twiceProblem(file, names[position] ?? "", earlier.file)] };
  });
  return {
    groups: read.flatMap(({ group }) => group ?? []),
    problems: read.flatMap(({ problems }) => problems),
  };
}

const nameOf = (file: string): string => GROUP_FILE.exec(file.slice(GROUP_FOLDER.length + 1))?.[1] ?? file;

/** That a group stands in a second place. */
export const twiceProblem = (file: string, name: string, other: string): string =>
  `${file}: worker group "${name}" stands in ${other}, too; remove it from one of them`;

interface ReadGroup {
  readonly group?: FileGroup | undefined;
  readonly problems: readonly string[];
}

function readGroup(file: string, text: string, stack: string, known: readonly string[]): ReadGroup {
  let parsed: unknown;
  try {
    parsed = parseAsEngine(text, file);
  } catch (error) {
    if (!RunError.isInstance(error)) throw error;
    return { problems: error.message.split("\n") };
  }
  if (!isMapping(parsed)) {
    return {
      problems: [
        `${file}: must be a mapping with the settings of one worker group; see docs/worker-files.md`,
      ],
    };
  }
  const { stacks, ...base } = parsed;
  if (!isMapping(stacks) || Object.keys(stacks).length === 0) {
    return {
      problems: [
        `stacks (${file}): must name the stacks that the group runs in, each with what differs there, such as \`stacks: { dev: {}, prod: { replicas: { min: 3 } } }\``,
      ],
    };
  }
  const name = nameOf(file);
  const { [stack]: own = null } = stacks;
  const group = Object.hasOwn(stacks, stack)
    ? groupIn(file, name, base, isMapping(own) ? own : {})
    : undefined;
  const { name: written = name } = merge(base, group?.own ?? {});
  return {
    group,
    problems: [
      ...stackProblems(file, stacks, [...known, stack]),
      ...(written === name
        ? []
        : [`name (${file}): must be "${name}", as the file is called; remove it, or rename the file`]),
      ...placesIn(parsed, []).map(
        (place) =>
          `${keyOf(place)} (${file}): is encrypted, which only the stack file may be, as Pulumi opens nothing else; name a Secret that exists (secret and key of \`secrets\`), or move the group to temporal-stack:workers (Pulumi.${stack}.yaml)`,
      ),
    ],
  };
}

function stackProblems(file: string, stacks: Mapping, known: readonly string[]): string[] {
  return Object.entries(stacks).flatMap(([stack, own]) => {
    const place = `${keyOf(["stacks", stack])} (${file})`;
    if (!known.includes(stack)) {
      const there = [...new Set(known)].sort().join(", ");
      return [`${place}: there is no Pulumi.${stack}.yaml; name one of ${there}`];
    }
    return own === null || isMapping(own)
      ? []
      : [`${place}: must be a mapping with what differs in this stack; {} if nothing does`];
  });
}

function groupIn(file: string, name: string, base: Mapping, own: Mapping): FileGroup {
  const { image, ...settings } = unopenedMapping(merge(base, own));
  const described = isMapping(image) ? image : undefined;
  return {
    name,
    file,
    worker: {
      ...settings,
      name,
      ...(described !== undefined ? { image: name } : image === undefined ? {} : { image }),
    },
    image: described,
    own,
  };
}
