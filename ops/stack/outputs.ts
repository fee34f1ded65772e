import { execa } from "execa";
import { z } from "zod";
import { Failure, lastLines } from "../../common/failure";
import { withoutLogins } from "../../common/backendUrl";
import { SettingsFailure } from "../../common/settingsFailure";

/** Outputs of index.ts. */
export const outputsSchema = z.object({
  /** Stacks that were deployed before there was this output name no context. */
  kubernetesContext: z.string().nullish(),
  workerImage: z.string(),
  workers: z.array(z.object({ name: z.string(), namespace: z.string(), deployment: z.string() })).nonempty(),
});

/** What the gate needs to know of a stack, as its last update left it. */
export type StackOutputs = z.infer<typeof outputsSchema>;

/**
 * Reads a stack's outputs with the Pulumi CLI of this shell: its login, its passphrase.
 *
 * @throws SettingsFailure when there is no such stack, or nothing is deployed; Failure with what Pulumi says
 */
export async function stackOutputs(stack: string): Promise<StackOutputs> {
  const args = ["stack", "output", "--json", "--stack", stack, "--non-interactive", "--color", "never"];
  const { failed, stdout, stderr, code } = await execa("pulumi", args, { reject: false });
  if (code === "ENOENT") {
    throw new SettingsFailure(
      "the Pulumi CLI is not on PATH",
      "install it, or for stack local: source the env.sh that npm run up names",
    );
  }
  if (failed) {
    const known = !stderr.includes("no stack named");
    throw new (known ? Failure : SettingsFailure)(
      `the outputs of stack ${stack} cannot be read`,
      "see that pulumi stack ls lists it in this shell (for stack local: source the env.sh that npm run up names)",
      lastLines(withoutLogins(stderr)),
    );
  }
  const outputs = outputsSchema.safeParse(JSON.parse(stdout));
  if (!outputs.success) {
    throw new SettingsFailure(
      `stack ${stack} has no workers whose workflows could be replayed`,
      "deploy it with this program first",
      outputs.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    );
  }
  return outputs.data;
}
