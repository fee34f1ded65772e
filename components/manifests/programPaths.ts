/** Files and folders that the program of every stack is made of, from the root of the checkout. */
export const PROGRAM_PATHS: readonly string[] = [
  "index.ts",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "transforms.ts",
  "tsconfig.json",
  "common/",
  "components/",
  "policy/",
  "settings/",
  "worker/",
  "workers/",
];

/** Pages say what the program does and are no part of it. */
const PAGE = ".md";

/** Whether a file, by its path from the root of the checkout, is part of the program. */
export const isProgram = (file: string): boolean =>
  !file.endsWith(PAGE) &&
  PROGRAM_PATHS.some((path) => (path.endsWith("/") ? file.startsWith(path) : file === path));

/** The same as arguments for Git, which runs in the root of the checkout. */
export const PROGRAM_PATHSPECS: readonly string[] = ["--", ...PROGRAM_PATHS, `:(exclude)*${PAGE}`];
