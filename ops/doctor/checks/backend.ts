import { withoutLogin } from "../../../common/backendUrl";
import { Failure } from "../../../common/failure";
import { isHeld, type StackLock, stackLocks } from "../../../common/stackLocks";
import { z } from "zod";
import { folderOf, ownerOf } from "../../recover/locks";
import { askPulumi, withWorkspace } from "../../stack/workspace";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

const whoami = z.object({ url: z.string() });

/** Where the state is, and whether somebody holds it. */
export interface Backend {
  readonly url: string;
  /** Value of `PULUMI_BACKEND_URL` as the shell has it. */
  readonly variable: string | undefined;
  /** Undefined where only an update finds out. */
  readonly locks?: readonly StackLock[] | undefined;
}

/** The backend of this shell opens, is one that lasts, and nobody has locked the stack. */
export const backend: Check = {
  name: "backend",
  about: "backend of the stack's state",
  examine: async ({ cli, stack, settings }) => {
    try {
      const found = await withWorkspace(cli.stack, async (workspace): Promise<Backend> => {
        const answer = await askPulumi(workspace, ["whoami", "--verbose", "--json"]);
        const { url } = whoami.parse(JSON.parse(answer));
        const folder = folderOf(url);
        const locks = folder === undefined ? undefined : await stackLocks(folder, workspace.project, stack);
        return { url, variable: cli.local ? undefined : process.env["PULUMI_BACKEND_URL"], locks };
      });
      return backendFindings(stack, found, settings.deletionProtection);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [
        failed(
          `the backend cannot be opened: ${[error.message, ...error.details].join("; ")}`,
          "set PULUMI_BACKEND_URL, or run pulumi login",
        ),
      ];
    }
  },
};

/** @param keeps whether what the stack holds must survive mistakes: `deletionProtection` */
export function backendFindings(
  stack: string,
  { url, variable, locks = [] }: Backend,
  keeps: boolean,
): Finding[] {
  const [lock] = locks;
  const held = locks.find(isHeld);
  return [
    ok(`state in ${withoutLogin(url)}`),
    ...(variable !== undefined && /^file:\/\/(?![/~])/.test(variable)
      ? [
          warning(
            "PULUMI_BACKEND_URL is relative: the Pulumi CLI takes another folder wherever it is started",
            "make it absolute: file:///…",
          ),
        ]
      : []),
    ...(keeps && folderOf(url) !== undefined
      ? [
          warning(
            "the state is on this machine only: it is lost with it, and nobody else deploys",
            "pulumi login s3://…, gs://…, azblob://… or https://…, in a bucket with versions",
          ),
        ]
      : []),
    ...(held !== undefined
      ? [warning(`another command works on the stack: ${ownerOf(held)}`, "wait until it has ended")]
      : lock === undefined
        ? []
        : [
            failed(
              `the stack is locked by ${ownerOf(lock)}, which is gone`,
              `npm run recover -- -s ${stack} removes the lock`,
            ),
          ]),
  ];
}
