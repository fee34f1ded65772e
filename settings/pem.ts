import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/**
 * Longest text of certificates in a setting. All settings of a stack travel to the program in one variable of its
 * environment, for which Linux allows 128 KiB (MAX_ARG_STRLEN).
 */
export const MAX_PEM_BYTES = 64 * 1024;

/** Kinds of private keys that TLS libraries of the stack take: rustls in the workers, Go in the server. */
const KEY_TYPES = ["rsa", "ec", "ed25519"];
const LEAST_RSA_BITS = 2048;

interface Block {
  readonly label: string;
  readonly text: string;
}

/** Blocks of a PEM text. What stands around them is a comment. */
function blocksOf(text: string): Block[] {
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
  return [...text.matchAll(pattern)].map(([block, label = ""]) => ({ label, text: block }));
}

/** What certificates are for. */
export type CertificateUse = "authorities" | "client";

const WANTED: Readonly<Record<CertificateUse, string>> = {
  authorities: "certificates of authorities in PEM format",
  client: "a certificate in PEM format",
};

/**
 * What is wrong with certificates in PEM; undefined if nothing is. The answer quotes nothing of them.
 * @param use `authorities`: some of many may have expired; `client`: the certificate of a private key, with its chain
 * @param now time at which they must be valid, in milliseconds
 */
export function certificateProblem(
  text: string,
  use: CertificateUse,
  now: number = Date.now(),
): string | undefined {
  if (Buffer.byteLength(text) > MAX_PEM_BYTES) {
    return `at most ${MAX_PEM_BYTES / 1024} KiB of certificates, as all settings travel in one environment variable; name a Secret or ConfigMap that holds them`;
  }
  const blocks = blocksOf(text);
  if (blocks.some(({ label }) => label.endsWith("PRIVATE KEY"))) {
    return "certificates without a private key, which would be readable in the cluster; take it out, and replace it, as it is known now";
  }
  const other = blocks.find(({ label }) => label !== "CERTIFICATE");
  if (other !== undefined) return `nothing but blocks -----BEGIN CERTIFICATE-----, not ${other.label}`;
  if (blocks.length === 0) return `${WANTED[use]}, from -----BEGIN CERTIFICATE----- to its end`;
  const certificates = blocks.map((block) => attempt(() => new X509Certificate(block.text)));
  const broken = certificates.indexOf(undefined);
  if (broken >= 0) return `certificates that can be read; number ${broken + 1} cannot`;
  const known = certificates.filter((certificate) => certificate !== undefined);
  return validityProblem(known, use, now) ?? (use === "client" ? versionProblem(known) : undefined);
}

function validityProblem(
  certificates: readonly X509Certificate[],
  use: CertificateUse,
  now: number,
): string | undefined {
  const invalid = certificates.filter(
    ({ validFrom, validTo }) => now < Date.parse(validFrom) || now > Date.parse(validTo),
  );
  const [first] = invalid;
  if (first === undefined || (use === "authorities" && invalid.length < certificates.length))
    return undefined;
  return `a certificate that is valid now; ${first.subject.replaceAll("\n", ", ")} is valid from ${first.validFrom} to ${first.validTo}`;
}

function versionProblem(certificates: readonly X509Certificate[]): string | undefined {
  const old = certificates.find((certificate) => !isVersion3(certificate.raw));
  return old === undefined
    ? undefined
    : `certificates of X.509 version 3, which TLS libraries demand; ${old.subject.replaceAll("\n", ", ")} is older`;
}

/** Whether a certificate begins with `[0] EXPLICIT INTEGER 2`, inside the two sequences around its content. */
function isVersion3(der: Buffer): boolean {
  const content = (start: number): number => {
    const length = der[start + 1] ?? 0;
    return start + 2 + (length < 0x80 ? 0 : length & 0x7f);
  };
  const version = content(content(0));
  return der.subarray(version, version + 5).equals(Buffer.from([0xa0, 0x03, 0x02, 0x01, 0x02]));
}

/** What is wrong with a private key in PEM; undefined if nothing is. The answer quotes nothing of it. */
export function privateKeyProblem(text: string): string | undefined {
  const keys = blocksOf(text).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const [key] = keys;
  if (key === undefined) return "a private key in PEM, from -----BEGIN ... PRIVATE KEY----- to its end";
  if (keys.length > 1) return "one private key, not several";
  if (key.label.startsWith("ENCRYPTED") || key.text.includes("Proc-Type: 4,ENCRYPTED")) {
    return "a private key without a passphrase, as nobody enters it in a pod; openssl pkey -in FILE takes it away";
  }
  const parsed = keyIn(text);
  if (parsed === undefined) return "a private key that can be read";
  const type = parsed.asymmetricKeyType ?? "unknown";
  if (!KEY_TYPES.includes(type)) return `a private key of type ${KEY_TYPES.join(", ")}, not ${type}`;
  const bits = parsed.asymmetricKeyDetails?.modulusLength ?? LEAST_RSA_BITS;
  return bits < LEAST_RSA_BITS ? `an RSA key of at least ${LEAST_RSA_BITS} bits, not ${bits}` : undefined;
}

/** Whether a private key belongs to the first of some certificates; true if either cannot be read. */
export function isPair(certificates: string, privateKey: string): boolean {
  const [first] = blocksOf(certificates);
  const certificate = first === undefined ? undefined : attempt(() => new X509Certificate(first.text));
  const key = keyIn(privateKey);
  return certificate === undefined || key === undefined || certificate.checkPrivateKey(key);
}

function keyIn(text: string): KeyObject | undefined {
  const block = blocksOf(text).find(({ label }) => label.endsWith("PRIVATE KEY"));
  return block === undefined ? undefined : attempt(() => createPrivateKey(block.text));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
