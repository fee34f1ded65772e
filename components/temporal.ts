import type * as pulumi from "@pulumi/pulumi";
import {
  frontendAddress,
  FRONTEND_PORT,
  FRONTEND_SERVICE,
  UI_SERVICE,
  UI_SERVICE_PORT,
} from "./manifests/temporalServer";
import type { StackNamespaces } from "./namespaces";
import type { Settings } from "./settings";
import { TemporalDevServer } from "./temporalDevServer";

/** A Service inside the cluster. */
export interface ServiceAddress {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** The Temporal server of a stack, whoever runs it. */
export interface TemporalServer {
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
 * @param opts options of the resources: provider and what must come first
 */
export function temporalServer(
  settings: Settings,
  namespaces: StackNamespaces,
  opts: pulumi.ComponentResourceOptions,
): TemporalServer {
  const server = settings.temporal;
  const known = { address: frontendAddress(settings), namespace: server.namespace };
  if (server.mode === "external") return { ...known, frontend: null, ui: null, resources: [] };

  const namespace = settings.namespaces.temporal;
  const place = namespaces.named(namespace);
  const devServer = new TemporalDevServer("temporal", { settings, server, namespace: place }, opts);
  return {
    ...known,
    frontend: { namespace, service: FRONTEND_SERVICE, port: FRONTEND_PORT },
    ui: { namespace, service: UI_SERVICE, port: UI_SERVICE_PORT },
    resources: [devServer],
  };
}
