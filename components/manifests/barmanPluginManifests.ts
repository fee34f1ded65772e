import type { BackupSettings } from "../../settings/backups";
import { splitImage } from "../../settings/imageVersion";
import type { Placement } from "../../settings/scheduling";
import type { Labels } from "./labels";
import { placementFields } from "./podPlacement";
import { containerResources } from "./resources";

/** Name of the release; with it, the chart's objects have this name or begin with it. */
export const BARMAN_PLUGIN_RELEASE = "plugin-barman-cloud";
/** Port on which the operator calls the plugin. */
export const BARMAN_PLUGIN_PORT = 9090;
/** Label of the plugin's pods, as its chart sets it. */
export const BARMAN_PLUGIN_LABELS: Labels = { "app.kubernetes.io/name": "plugin-barman-cloud" };

/**
 * Values of the plugin's chart.
 * @param placement where its pod runs
 * @param imagePullSecrets Secrets of its namespace with which the image is pulled
 */
export function barmanPluginValues(
  { image, sidecarImage, resources }: BackupSettings["plugin"],
  placement: Placement = {},
  imagePullSecrets: readonly { readonly name: string }[] = [],
) {
  return {
    ...placementFields(placement),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
    image: chartImage(image),
    sidecarImage: chartImage(sidecarImage),
    crds: { create: true },
    resources: containerResources(resources),
  };
}

/** The chart puts registry, repository and tag together. */
function chartImage(reference: string) {
  const { repository, tag } = splitImage(reference);
  const [first = "", ...rest] = repository.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return hasHost
    ? { registry: first, repository: rest.join("/"), tag }
    : { registry: "docker.io", repository: rest.length === 0 ? `library/${repository}` : repository, tag };
}
