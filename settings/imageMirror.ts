import type { z } from "zod";
import type { BackupSettings } from "./backups";
import type { certManager } from "./certManager";
import type { imagePull } from "./imagePull";
import type { postgres } from "./postgres";
import type { temporal } from "./sections";

interface Sections {
  readonly imagePull: z.output<typeof imagePull>;
  readonly certManager: z.output<typeof certManager>;
  readonly temporal: z.output<typeof temporal>;
  readonly postgres?: z.output<typeof postgres> | undefined;
}

/**
 * Where a mirror keeps an image: below the mirror of its registry, or below the one for all registries and there under
 * the name of its registry.
 */
export function mirroredImage(image: string, { mirror, mirrors }: Sections["imagePull"]): string {
  const [first = "", ...rest] = image.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = hasHost ? first : "docker.io";
  const path = hasHost ? rest.join("/") : rest.length === 0 ? `library/${image}` : image;
  const own = mirrors[host];
  if (own !== undefined) return `${own}/${path}`;
  return mirror === undefined ? image : `${mirror}/${host}/${path}`;
}

/** Settings whose images, of the charts, too, come from the mirror; the workers' is pushed by whoever deploys. */
export function withMirroredImages<Given extends Sections>(settings: Given): Given {
  const at = (image: string) => mirroredImage(image, settings.imagePull);
  return {
    ...settings,
    temporal: mirroredTemporal(settings.temporal, at),
    postgres: mirroredPostgres(settings.postgres, at),
    certManager: mirroredCertManager(settings.certManager, at),
  };
}

type Move = (image: string) => string;

function mirroredTemporal(temporal: Sections["temporal"], at: Move): Sections["temporal"] {
  if (temporal.mode === "devServer") return { ...temporal, image: at(temporal.image) };
  if (temporal.mode === "external") return temporal;
  const { images, ui } = temporal;
  return {
    ...temporal,
    images: { server: at(images.server), adminTools: at(images.adminTools) },
    ui: { ...ui, image: at(ui.image) },
  };
}

const mirroredPlugin = (plugin: BackupSettings["plugin"], at: Move): BackupSettings["plugin"] => ({
  ...plugin,
  image: at(plugin.image),
  sidecarImage: at(plugin.sidecarImage),
});

function mirroredCertManager(certManager: Sections["certManager"], at: Move): Sections["certManager"] {
  const { controller, webhook, caInjector, startupCheck, acmeSolver } = certManager.images;
  return {
    ...certManager,
    images: {
      controller: at(controller),
      webhook: at(webhook),
      caInjector: at(caInjector),
      startupCheck: at(startupCheck),
      acmeSolver: at(acmeSolver),
    },
  };
}

function mirroredPostgres(postgres: Sections["postgres"], at: Move): Sections["postgres"] {
  if (postgres === undefined) return undefined;
  if (postgres.mode === "managed") return { ...postgres, preflightImage: at(postgres.preflightImage) };
  const { operator, backup } = postgres;
  return {
    ...postgres,
    image: at(postgres.image),
    operator: { ...operator, image: at(operator.image), gateImage: at(operator.gateImage) },
    ...(backup === undefined ? {} : { backup: { ...backup, plugin: mirroredPlugin(backup.plugin, at) } }),
  };
}
