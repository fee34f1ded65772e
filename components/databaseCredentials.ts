import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { secretChecksum } from "./checksum";
import { stackLabels } from "./manifests/labels";
import {
  LOGIN_ROLES,
  loginName,
  type LoginRole,
  loginSecretName,
} from "./manifests/postgresClusterManifests";
import { dataOptions } from "./protection";
import type { PostgresClusterSettings, Settings } from "../settings/settings";

/** Letters and digits of a password: 238 bits of entropy. Temporal's connection text mangles other signs. */
const PASSWORD_LENGTH = 40;

/** Inputs of {@link DatabaseCredentials}. */
export interface DatabaseCredentialsArgs {
  readonly settings: Settings;
  readonly cluster: PostgresClusterSettings;
  /** Namespace of the Postgres cluster and of the Temporal server. */
  readonly namespace: pulumi.Input<string>;
}

/**
 * Passwords of the two login roles, each in a Secret that the operator watches. A role has one password:
 * while pods roll, old ones still use it. So the server moves to the other role, and only then the idle
 * role's password changes.
 */
export class DatabaseCredentials extends pulumi.ComponentResource {
  /** Secret with the password of the role that Temporal uses; key `password`. */
  readonly secretName: pulumi.Output<string>;
  /** Changes with that password. */
  readonly checksum: pulumi.Output<string>;

  constructor(name: string, args: DatabaseCredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:DatabaseCredentials", name, {}, opts);
    const roles = {
      a: this.login(name, "a", args),
      b: this.login(name, "b", args),
    } satisfies Record<LoginRole, unknown>;
    const { secret, password } = roles[args.cluster.credentials.loginRole];
    this.secretName = secret.metadata.name;
    this.checksum = secretChecksum(password);
    this.registerOutputs({ secretNames: LOGIN_ROLES.map((role) => loginSecretName(args.cluster, role)) });
  }

  private login(name: string, role: LoginRole, { settings, cluster, namespace }: DatabaseCredentialsArgs) {
    const kept = dataOptions(settings);
    const generation = cluster.credentials.passwordGenerations[role];
    const passwordOf = (number: number, options: pulumi.CustomResourceOptions) =>
      new random.RandomPassword(
        `${name}-${role}-${number}`,
        { length: PASSWORD_LENGTH, special: false },
        { parent: this, ...options },
      );
    // The former password stays for one generation without protection, so that it can go with the next.
    if (generation > 1) passwordOf(generation - 1, {});
    const password = passwordOf(generation, kept).result;
    const secret = new k8s.core.v1.Secret(
      `${name}-${role}-secret`,
      {
        metadata: {
          name: loginSecretName(cluster, role),
          namespace,
          // Without it, the operator ignores a change of a Secret that it did not make.
          labels: { ...stackLabels(settings), "cnpg.io/reload": "true" },
        },
        type: "kubernetes.io/basic-auth",
        stringData: { username: loginName(role), password },
      },
      { parent: this, ...kept },
    );
    return { secret, password };
  }
}
