/** A setting that must be a secret of the stack. */
export interface SecretPath {
  readonly path: readonly string[];
  /** A text of its form, for who reads a stack file without being able to open it. */
  readonly placeholder: string;
}

const ENCRYPTED = "encrypted";

/** Where no secret may stand in the clear. */
export const SECRET_PATHS: readonly SecretPath[] = [
  { path: ["workerImage", "registry", "password"], placeholder: ENCRYPTED },
  { path: ["postgres", "password"], placeholder: ENCRYPTED },
  {
    path: ["temporal", "tls", "client", "privateKey"],
    placeholder: `-----BEGIN PRIVATE KEY-----\n${ENCRYPTED}\n-----END PRIVATE KEY-----`,
  },
  { path: ["temporal", "apiKey"], placeholder: ENCRYPTED },
  { path: ["workerImage", "pullSecret", "password"], placeholder: ENCRYPTED },
  { path: ["tracing", "headers"], placeholder: `authorization=${ENCRYPTED}` },
];

/** The placeholder for a setting, by its path. */
export function placeholderAt(path: readonly string[]): string {
  const key = path.join(".");
  return SECRET_PATHS.find((secret) => secret.path.join(".") === key)?.placeholder ?? ENCRYPTED;
}
