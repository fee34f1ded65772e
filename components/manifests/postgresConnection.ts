import type * as pulumi from "@pulumi/pulumi";

/** Port of Postgres, in pods and Services. */
export const POSTGRES_PORT = 5432;

/** What libpq and Temporal's driver call the ways to verify a server. */
export const SSL_MODES = { full: "verify-full", ca: "verify-ca", none: "require" } as const;

/** An entry of a Secret. */
export interface SecretEntry {
  readonly secretName: pulumi.Input<string>;
  readonly key: string;
}

/** Mode of mounted certificates: root's and its group's alone. */
export const CERTIFICATE_FILE_MODE = 0o440;

/** Certificates of authorities in an entry of a Secret or a ConfigMap. */
export type Authorities = SecretEntry | { readonly configMapName: string; readonly key: string };

/** The source of a volume that holds the certificates, in a file named after their key, and nothing else. */
export function authoritiesVolume(authorities: Authorities) {
  const content = {
    defaultMode: CERTIFICATE_FILE_MODE,
    items: [{ key: authorities.key, path: authorities.key }],
  };
  return "secretName" in authorities
    ? { secret: { secretName: authorities.secretName, ...content } }
    : { configMap: { name: authorities.configMapName, ...content } };
}

/** A certificate in a Secret. */
export interface ClientCertificate {
  readonly secretName: pulumi.Input<string>;
  readonly certificateKey: string;
  readonly privateKeyKey: string;
  /** Changes with the content. */
  readonly revision: string;
}

/** Annotation of a pod template that rolls its pods with the content of the Secret. */
export function certificateRevision(certificate: Pick<ClientCertificate, "revision"> | undefined) {
  return certificate === undefined
    ? {}
    : { "temporal-stack/postgres-certificate-revision": certificate.revision };
}

/** Postgres as Temporal sees it, whoever runs it. */
export interface PostgresConnection {
  readonly host: string;
  readonly port: number;
  /** Names of the two databases. */
  readonly databases: { readonly default: string; readonly visibility: string };
  readonly user: string;
  readonly password: SecretEntry;
  /** Certificates that the server's may come from; undefined means the public authorities. */
  readonly ca: Authorities | undefined;
  /** What is verified of the server: certificate and host name, the certificate alone, or nothing. */
  readonly verifyTls: "full" | "ca" | "none";
  /** Certificate with which Temporal proves who it is, if it does. */
  readonly clientCertificate: ClientCertificate | undefined;
  /** Further attributes of the connection string. */
  readonly connectAttributes: Readonly<Record<string, string>>;
  /** Changes with the password and says nothing about it. Goes into pod templates, to roll them. */
  readonly passwordChecksum: pulumi.Input<string>;
}
