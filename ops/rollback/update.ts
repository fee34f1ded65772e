import { CONFIG_FILE_VARIABLE } from "../../settings/encryptedPlaces";
import { pulumi, type StackCli } from "../../common/pulumi";

/** A program with the settings that it is to run with. */
export interface Prepared {
  readonly cli: StackCli;
  /** Folder of the program. */
  readonly program: string;
  /** Stack file. */
  readonly config: string;
}

/** The CLI takes the file from here, and so does the program, which must know what in it is encrypted. */
const environmentOf = ({ config }: Prepared) => ({ [CONFIG_FILE_VARIABLE]: config });

/**
 * Shows what an update would do. The one place from which it is shown.
 *
 * @throws Failure with what a guard, a policy or the program refuses
 */
export async function showPreview(prepared: Prepared, onLine: (line: string) => void): Promise<void> {
  await pulumi(prepared.cli, ["preview", "--diff"], {
    cwd: prepared.program,
    environment: environmentOf(prepared),
    onLine,
  });
}

/** Runs `pulumi up`; each line of its progress is passed on. */
export async function update(
  prepared: Prepared,
  message: string,
  onLine: (line: string) => void,
): Promise<void> {
  const args = ["up", "--yes", "--skip-preview", "--message", message];
  await pulumi(prepared.cli, args, { cwd: prepared.program, environment: environmentOf(prepared), onLine });
}
