import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "../common/paths";
import { pulumiHome, removeSalt, stackEnvironment } from "../common/localStack";
import type { Target } from "../common/localStack";
import { commandPath } from "../toolchain/install";
import { programs } from "../toolchain/programs";
import { inTurns } from "./inTurns";
import { type RunOptions, timed } from "./timedRun";
import { type Figure, ratio, seconds } from "./table";

/** By issue 3: a trial of 11 resources took 2.2 with type check, 1.2 without. */
const LIMIT = 1.5;

const cli = commandPath(programs.pulumi);
const COMMON = ["--non-interactive", "--color", "never"];
const PREVIEW = ["preview", "--expect-no-changes", ...COMMON];

/** Stack of the empty program. */
const EMPTY = "empty";

/** What `pulumi new typescript` writes, without a resource. */
const emptyProgram: Readonly<Record<string, string>> = {
  "Pulumi.yaml": "name: empty\nruntime: nodejs\n",
  "package.json": '{ "name": "empty", "main": "index.ts" }\n',
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      strict: true,
      outDir: "bin",
      target: "es2020",
      module: "commonjs",
      moduleResolution: "node",
      sourceMap: true,
      experimentalDecorators: true,
      pretty: true,
      noFallthroughCasesInSwitch: true,
      noImplicitReturns: true,
      forceConsistentCasingInFileNames: true,
    },
    files: ["index.ts"],
  }),
  "index.ts": 'import * as pulumi from "@pulumi/pulumi";\n\nexport const stack = pulumi.getStack();\n',
};

/**
 * Compares a preview without changes of the deployed stack with that of an empty program by the same CLI, packages
 * and Node, each with its own settings.
 *
 * @param runs how often each is measured
 */
export async function previewFigures(target: Target, runs: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-bench-"));
  try {
    const env = emptyEnvironment(folder);
    await prepareEmptyProgram(folder, env);
    const preview = async (stack: string, options: RunOptions): Promise<number> =>
      (await timed([cli, ...PREVIEW, "--stack", stack], options)).seconds;
    const [empty, stack] = await inTurns(
      runs,
      () => preview(EMPTY, { cwd: folder, env, remedy: "the lines above name the cause" }),
      () =>
        preview(target.stack, {
          env: stackEnvironment(target),
          remedy: "if the stack has changes: run npm run up first",
        }),
    );
    return [
      seconds(`pulumi preview of stack ${target.stack}, median of ${runs}`, stack),
      seconds(`pulumi preview of an empty program, median of ${runs}`, empty),
      ratio(`preview of stack ${target.stack} ÷ of an empty program`, stack / empty, LIMIT),
    ];
  } finally {
    await removeSalt(target);
    await rm(folder, { recursive: true });
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Nothing of the stack's own settings, sourced by the user or not: it is compared with the defaults. */
const emptyEnvironment = (folder: string): Environment => ({
  PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
  PULUMI_NODEJS_TRANSPILE_ONLY: undefined,
  TEMPORAL_STACK_MACHINE_SETTINGS: undefined,
  PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
  PULUMI_CONFIG_PASSPHRASE: "empty",
  PULUMI_HOME: pulumiHome,
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  PULUMI_SKIP_UPDATE_CHECK: "true",
});

async function prepareEmptyProgram(folder: string, env: Environment): Promise<void> {
  await mkdir(join(folder, "backend"));
  for (const [file, text] of Object.entries(emptyProgram)) await writeFile(join(folder, file), text);
  await symlink(join(checkout, "node_modules"), join(folder, "node_modules"));
  const options = { cwd: folder, env, remedy: "run npm run up first: it installs the CLI and its plugins" };
  await timed([cli, "stack", "init", EMPTY, ...COMMON], options);
  await timed([cli, "up", "--yes", "--skip-preview", "--stack", EMPTY, ...COMMON], options);
}
