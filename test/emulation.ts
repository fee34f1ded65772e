import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** The random text of every generated key, and the key made from it: tests look for both where they must not be. */
export const FAKE_SEED = "fakeSeed".repeat(8);
export const FAKE_KEY = createHash("sha256").update(FAKE_SEED).digest("base64");
/** The id of every stack. */
export const FAKE_STACK_ID = "3f0c1d2e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";
/** Digest of every image that is "built". */
export const FAKE_DIGEST = `sha256:${"ab".repeat(32)}`;

type State = Record<string, unknown>;

/** What a provider would add to the inputs of a resource: mocks add nothing by themselves. */
export function emulatedState(
  type: string,
  name: string,
  inputs: Readonly<State>,
  stackOutputs: Readonly<State> = {},
): State {
  if (type === "pulumi:pulumi:StackReference") {
    return { ...inputs, outputs: stackOutputs, secretOutputNames: [] };
  }
  if (type.startsWith("kubernetes:"))
    return { ...inputs, metadata: emulatedMetadata(name, inputs["metadata"]) };
  if (type === "random:index/randomPassword:RandomPassword") {
    return { ...inputs, result: pulumi.secret(FAKE_SEED), bcryptHash: pulumi.secret("$2a$10$") };
  }
  if (type === "random:index/randomUuid:RandomUuid") return { ...inputs, result: FAKE_STACK_ID };
  if (type === "docker:index/image:Image") {
    const repository = String(inputs["imageName"]).replace(/:[^:/]+$/, "");
    return { ...inputs, repoDigest: `${repository}@${FAKE_DIGEST}` };
  }
  return { ...inputs };
}

function emulatedMetadata(name: string, metadata: unknown): State {
  const given: State = typeof metadata === "object" && metadata !== null ? { ...metadata } : {};
  return { namespace: "default", name: `${name}-1a2b3c4d`, ...given };
}
