import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { lookUpObject } from "./clusterLookup";
import { secretChecksum } from "./checksum";
import { existingObjectsGuard } from "./guards/existingObjectsGuard";
import { neededByPostgresService } from "./manifests/existingObjects";
import { oneOffMetadata, scriptPod } from "./manifests/jobs";
import { objectLabels, stackLabels } from "./manifests/labels";
import {
  CA_KEY,
  POSTGRES_UID,
  PREFLIGHT,
  preflightEnvironment,
  preflightFiles,
  preflightScript,
} from "./manifests/managedPostgresManifests";
import {
  type Authorities,
  certificateRevision,
  type PostgresConnection,
  type SecretEntry,
} from "./manifests/postgresConnection";
import { dataOptions } from "./protection";
import { podAccount } from "./podAccount";
import type { AuthoritiesFrom } from "../settings/certificates";
import { placementOf } from "../settings/scheduling";
import type { ChartServerSettings, ManagedPostgresSettings, Settings } from "../settings/settings";
import { neededConnections } from "../settings/connectionBudget";

/** Names of the Secrets that this component makes. */
const PASSWORD_SECRET = "temporal-postgres-login";
const CA_SECRET = "temporal-postgres-ca";
/** Seconds after which the preflight is a failure: its image, and one attempt of 10 s for each question. */
const PREFLIGHT_SECONDS = 300;

/** Inputs of {@link ManagedPostgres}. */
export interface ManagedPostgresArgs {
  readonly settings: Settings;
  readonly service: ManagedPostgresSettings;
  readonly server: ChartServerSettings;
  /** Namespace of the Temporal server. */
  readonly namespace: pulumi.Input<string>;
}

/** A Postgres service that exists already; done once a job has proved that Temporal can use it. */
export class ManagedPostgres extends pulumi.ComponentResource {
  readonly connection: PostgresConnection;

  constructor(
    name: string,
    { settings, service, server, namespace }: ManagedPostgresArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:ManagedPostgres", name, {}, opts);
    const { password, checksum } = this.login(name, { settings, service, server, namespace });
    const ca = this.authorities(name, { settings, service, server, namespace });

    const labels = objectLabels(settings, PREFLIGHT);
    const metadata = { namespace, labels };
    const account = podAccount(`${name}-preflight-account`, settings, metadata, { parent: this });
    const clientCertificate =
      service.clientCertificateSecret === undefined
        ? undefined
        : { ...service.clientCertificateSecret, secretName: service.clientCertificateSecret.name };
    const files = preflightFiles(ca, clientCertificate);
    const environment = Object.entries(preflightEnvironment(service)).map(([key, value]) => ({
      name: key,
      value,
    }));
    const preflight = new k8s.batch.v1.Job(
      `${name}-preflight`,
      {
        metadata: oneOffMetadata(metadata),
        spec: {
          backoffLimit: 2,
          activeDeadlineSeconds: PREFLIGHT_SECONDS,
          template: {
            metadata: {
              labels,
              annotations: {
                "temporal-stack/password-checksum": checksum,
                ...certificateRevision(clientCertificate),
              },
            },
            spec: scriptPod({
              name: "preflight",
              image: service.preflightImage,
              user: POSTGRES_UID,
              script: preflightScript(service, {
                connections: neededConnections(server),
                historyShards: server.historyShards,
                cluster: server.cluster,
              }),
              serviceAccount: account.metadata.name,
              placement: placementOf(settings, "jobs"),
              env: [
                ...environment,
                {
                  name: "PGPASSWORD",
                  valueFrom: { secretKeyRef: { name: password.secretName, key: password.key } },
                },
              ],
              ...files,
            }),
          },
        },
      },
      {
        parent: this,
        customTimeouts: { create: `${PREFLIGHT_SECONDS + 30}s` },
        hooks: existingObjectsGuard(
          `${name}-existing-objects`,
          neededByPostgresService(service),
          settings.namespaces.temporal,
          (object) => lookUpObject(settings, settings.namespaces.temporal, object),
        ),
      },
    );
    this.connection = {
      host: service.host,
      port: service.port,
      databases: service.databases,
      user: service.user,
      password,
      ca,
      verifyTls: service.verifyTls,
      clientCertificate,
      connectAttributes: service.connectAttributes,
      passwordChecksum: checksum,
    };
    this.registerOutputs({ preflight: preflight.metadata.name });
  }

  private login(
    name: string,
    { settings, service, namespace }: ManagedPostgresArgs,
  ): { password: SecretEntry; checksum: pulumi.Input<string> } {
    const { password, passwordSecret } = service;
    if (password === undefined) {
      return {
        password: { secretName: passwordSecret?.name ?? "", key: passwordSecret?.key ?? "" },
        checksum: passwordSecret?.revision ?? "",
      };
    }
    const text = password.reveal();
    const secret = new k8s.core.v1.Secret(
      `${name}-login`,
      {
        metadata: { name: PASSWORD_SECRET, namespace, labels: stackLabels(settings) },
        type: "kubernetes.io/basic-auth",
        stringData: { username: service.user, password: text },
      },
      { parent: this, ...dataOptions(settings) },
    );
    // People's passwords can be guessed from a bare hash.
    const salt = new random.RandomPassword(`${name}-salt`, { length: 40, special: false }, { parent: this });
    return {
      password: { secretName: secret.metadata.name, key: "password" },
      checksum: secretChecksum(pulumi.concat(salt.result, text)),
    };
  }

  private authorities(
    name: string,
    { settings, service, namespace }: ManagedPostgresArgs,
  ): Authorities | undefined {
    if (service.caFrom !== undefined) return existingAuthorities(service.caFrom);
    if (service.ca === undefined) return undefined;
    const secret = new k8s.core.v1.Secret(
      `${name}-ca`,
      {
        metadata: { name: CA_SECRET, namespace, labels: stackLabels(settings) },
        stringData: { [CA_KEY]: service.ca },
      },
      { parent: this, ...dataOptions(settings) },
    );
    return { secretName: secret.metadata.name, key: CA_KEY };
  }
}

/** Whatever of the two the settings name; they name exactly one. */
function existingAuthorities({ secret, configMap = "", key }: AuthoritiesFrom): Authorities {
  return secret === undefined ? { configMapName: configMap, key } : { secretName: secret, key };
}
