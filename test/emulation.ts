import * as pulumi from "@pulumi/pulumi";

/** Value of every generated key: tests look for it where it must not be. */
export const FAKE_KEY = Buffer.alloc(32, "fake-key!").toString("base64");
/** Digest of every image that is "built". */
export const FAKE_DIGEST = `sha256:${"ab".repeat(32)}`;

type State = Record<string, unknown>;

/** What a provider would add to the inputs of a resource: mocks add nothing by themselves. */
export function emulatedState(type: string, name: string, inputs: Readonly<State>): State {
  if (type.startsWith("kubernetes:"))
    return { ...inputs, metadata: emulatedMetadata(name, inputs["metadata"]) };
  if (type === "random:index/randomBytes:RandomBytes") {
    return { ...inputs, base64: pulumi.secret(FAKE_KEY), hex: pulumi.secret("00") };
  }
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
