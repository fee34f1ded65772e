import type * as pulumi from "@pulumi/pulumi";

/** Port of Postgres, in pods and Services. */
export const POSTGRES_PORT = 5432;

/** An entry of a Secret. */
export interface SecretEntry {
  readonly secretName: pulumi.Input<string>;
  readonly key: string;
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
  readonly ca: SecretEntry | undefined;
  /** Whether certificate and host name are verified. */
  readonly verifyTls: boolean;
  /** Changes with the password and says nothing about it. Goes into pod templates, to roll them. */
  readonly passwordChecksum: pulumi.Input<string>;
}
