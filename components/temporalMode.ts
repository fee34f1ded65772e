import * as pulumi from "@pulumi/pulumi";
import type { Succeeded } from "./guards/record";
import {
  frontendAddress,
  FRONTEND_PORT,
  FRONTEND_SERVICE,
  UI_SERVICE,
  UI_SERVICE_PORT,
} from "./manifests/temporalNames";
import type { StackNamespaces } from "./namespaces";
import type { Postgres } from "./postgresMode";
import type { Settings } from "../settings/settings";
import { TemporalDevServer } from "./temporalDevServer";
import { TemporalNamespaces } from "./temporalNamespaces";
import { TemporalServer } from "./temporalServer";

/** A Service inside the cluster. */
export interface ServiceAddress {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** The Temporal server of a stack, whoever runs it. */
export interface TemporalEndpoint {
  /** host:port as the workers see it. */
  readonly address: string;
  /** Temporal namespace of the workflows. */
  readonly namespace: string;
  /** Frontend and UI; null, as stack outputs have it, if this stack does not run them. */
  readonly frontend: ServiceAddress | null;
  readonly ui: ServiceAddress | null;
  /** What must be there before anything can connect. */
  readonly resources: pulumi.Resource[];
}

/**
 * The Temporal server by `temporal.mode`: started here, or only referred to.
 * @param postgres where a server of mode `chart` keeps its data
 * @param succeeded what the last successful update left
 * @param opts options of the resources: provider and what must come first
 */
export function temporalServer(
  settings: Settings,
  namespaces: StackNamespaces,
  postgres: Postgres | undefined,
  succeeded: Promise<Succeeded>,
  opts: pulumi.ComponentResourceOptions,
): TemporalEndpoint {
  const server = settings.temporal;
  const known = { address: frontendAddress(settings), namespace: server.namespace };
  if (server.mode === "external") return { ...known, frontend: null, ui: null, resources: [] };

  const namespace = settings.namespaces.temporal;
  const place = namespaces.named(namespace);
  const frontend = { namespace, service: FRONTEND_SERVICE, port: FRONTEND_PORT };
  const ui = { namespace, service: UI_SERVICE, port: UI_SERVICE_PORT };
  if (server.mode === "devServer") {
    const devServer = new TemporalDevServer("temporal", { settings, server, namespace: place }, opts);
    return { ...known, frontend, ui, resources: [devServer] };
  }
  if (postgres === undefined) throw new pulumi.RunError("temporal.mode chart needs the section postgres");
  const release = new TemporalServer(
    "temporal",
    { settings, server, namespace: place, postgres: postgres.connection, succeeded },
    pulumi.mergeOptions(opts, { dependsOn: postgres.resources }),
  );
  const temporalNamespaces = new TemporalNamespaces(
    "temporal-namespaces",
    { settings, server, namespace: place, succeeded },
    pulumi.mergeOptions(opts, { dependsOn: [release] }),
  );
  return { ...known, frontend, ui: server.ui.enabled ? ui : null, resources: [temporalNamespaces] };
}
