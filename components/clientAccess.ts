import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClientSettings } from "../settings/clients";
import type { Settings } from "../settings/settings";
import { lookUpClientObject } from "./clusterLookup";
import { type ClientObject, clientObjectsGuard } from "./guards/clientObjectsGuard";
import { clientEnvironment } from "./manifests/clientManifests";
import { stackLabels } from "./manifests/labels";
import type { PayloadKeyring } from "./payloadKeyring";

/** Inputs of {@link ClientAccess}. */
export interface ClientAccessArgs {
  readonly settings: Settings;
  readonly client: ClientSettings;
  /** Undefined: payloads are not encrypted. */
  readonly keyring: PayloadKeyring | undefined;
}

/** Nothing waits for these two: a deployer need not watch what else is in somebody's namespace. */
const UNWATCHED = { "pulumi.com/skipAwait": "true" };

/**
 * What an application needs to call Temporal, in its own namespace: connection settings and, where it is asked for, the
 * payload keys. The door is a flow of `manifests/flows.ts`.
 */
export class ClientAccess extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, client, keyring }: ClientAccessArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:ClientAccess", name, {}, opts);
    const { namespace, connection, payloadKeys } = client;
    const setting = `clients[${settings.clients.indexOf(client)}]`;
    const guarded = (object: Omit<ClientObject, "setting" | "namespace">): pulumi.CustomResourceOptions => ({
      parent: this,
      hooks: clientObjectsGuard(
        `${name}-${object.key}`,
        { setting, namespace, ...object },
        settings.stack,
        () => lookUpClientObject(settings, namespace, object),
      ),
    });
    const metadata = { namespace, labels: stackLabels(settings), annotations: UNWATCHED };
    new k8s.core.v1.ConfigMap(
      `${name}-connection`,
      { metadata: { ...metadata, name: connection }, data: clientEnvironment(settings, client) },
      guarded({ key: "connection", kind: "ConfigMap", name: connection }),
    );
    if (payloadKeys !== undefined && keyring !== undefined) {
      new k8s.core.v1.Secret(
        `${name}-payload-keys`,
        { metadata: { ...metadata, name: payloadKeys }, type: "Opaque", stringData: keyring.entries },
        guarded({ key: "payloadKeys", kind: "Secret", name: payloadKeys }),
      );
    }
    this.registerOutputs({});
  }
}
