import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Succeeded } from "./guards/record";
import { serverGuard } from "./guards/temporalServerGuard";
import { chartSource } from "./manifests/chartSource";
import { imagePullSecrets } from "./manifests/imagePull";
import { stackLabels } from "./manifests/labels";
import type { PostgresConnection } from "./manifests/postgresConnection";
import { RELEASE, SERVER_ACCOUNT } from "./manifests/temporalNames";
import { CLIENT_SECRET_KEY, uiEnvironment } from "./manifests/temporalUi";
import { temporalValues } from "./manifests/temporalValues";
import { podAccount } from "./podAccount";
import { withChartValues } from "../settings/chartValues";
import { placementOf } from "../settings/scheduling";
import type { ChartServerSettings, Settings } from "../settings/settings";
import { charts } from "../settings/versions";

/** Inputs of {@link TemporalServer}. */
export interface TemporalServerArgs {
  readonly settings: Settings;
  readonly server: ChartServerSettings;
  /** Namespace of the server. */
  readonly namespace: pulumi.Input<string>;
  readonly postgres: PostgresConnection;
  /** What the last successful update left, for the guard. */
  readonly succeeded: Promise<Succeeded>;
}

/** The Temporal server from the official chart; done once its schema is up to date and all roles are ready. */
export class TemporalServer extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, server, namespace, postgres, succeeded }: TemporalServerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:TemporalServer", name, {}, opts);
    // The chart would make it as a hook: deleted and made anew at each upgrade, and with a token.
    const account = podAccount(
      `${name}-account`,
      settings,
      { name: SERVER_ACCOUNT, namespace, labels: stackLabels(settings) },
      { parent: this },
    );
    const clientSecret = server.ui.login?.clientSecret?.reveal();
    // Immutable, so that it is replaced on change under a new name, which rolls the UI.
    const login =
      clientSecret &&
      new k8s.core.v1.Secret(
        `${name}-ui-login`,
        {
          metadata: { namespace, labels: stackLabels(settings) },
          immutable: true,
          stringData: { [CLIENT_SECRET_KEY]: clientSecret },
        },
        { parent: this },
      );
    const seconds = `${server.rolloutTimeoutSeconds + 60}s`;
    const release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        // The chart derives the names of all Services from it.
        name: RELEASE,
        namespace,
        ...chartSource(settings.charts.temporalRepository, charts.temporal.name, server.chartVersion),
        values: withChartValues(
          temporalValues(server, {
            postgres,
            serviceAccount: SERVER_ACCOUNT,
            placement: (part) => placementOf(settings, part),
            imagePullSecrets: imagePullSecrets(settings),
            uiEnvironment: uiEnvironment(server, settings.payloadEncryption, login?.metadata.name),
          }),
          server.chartValues,
        ),
        timeout: server.rolloutTimeoutSeconds,
        waitForJobs: true,
        maxHistory: 10,
      },
      {
        parent: this,
        dependsOn: [account],
        customTimeouts: { create: seconds, update: seconds },
        hooks: serverGuard(server, succeeded),
      },
    );
    this.registerOutputs({ release: release.name });
  }
}
