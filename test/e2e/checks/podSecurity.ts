import { execa } from "execa";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { podsOf } from "../support";

/** What the API server says of a copy of each pod: nothing if the namespace's level takes it. */
export async function refusedCopies(namespace: string): Promise<{ tried: number; refused: string[] }> {
  const pods = await podsOf(namespace);
  const refused: string[] = [];
  for (const { metadata, spec } of pods) {
    const answer = await podAnswer(`${metadata.name}-copy`, namespace, spec);
    if (answer !== undefined) refused.push(`${metadata.name}: ${answer}`);
  }
  return { tried: pods.length, refused };
}

/** What the API server says of a privileged pod; undefined if it takes it. */
export const privilegedPodAnswer = (namespace: string): Promise<string | undefined> =>
  podAnswer("privileged", namespace, {
    containers: [{ name: "root", image: "busybox", securityContext: { privileged: true } }],
  });

async function podAnswer(name: string, namespace: string, spec: unknown): Promise<string | undefined> {
  const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec };
  const { exitCode, stderr } = await execa(
    commandPath(programs.kubernetes, "kubectl"),
    ["--kubeconfig", adminKubeconfig, "create", "--dry-run=server", "--filename", "-"],
    { input: JSON.stringify(manifest), reject: false },
  );
  return exitCode === 0 ? undefined : stderr;
}
