import { withoutLogin } from "../../../common/backendUrl";
import { Failure } from "../../../common/failure";
import { isHeld, type StackLock } from "../../../common/stackLocks";
import { folderOf, lockedBackend, ownerOf } from "../../recover/locks";
import { withWorkspace } from "../../stack/workspace";
import type { Check } from "../check";
import { reasonOf } from "../clusterReader";
import { type Finding, failed, ok, warning } from "../finding";

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
      const variable = cli.local ? undefined : process.env["PULUMI_BACKEND_URL"];
      const found = await withWorkspace(cli.stack, lockedBackend);
      return backendFindings(stack, { ...found, variable }, settings.deletionProtection);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [
        failed(
          `the backend cannot be opened: ${reasonOf(error)}`,
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
