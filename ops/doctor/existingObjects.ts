import {
  type ExistingObject,
  neededByBackups,
  neededByPostgresService,
  neededByWorkers,
} from "../../components/manifests/existingObjects";
import { ownNamespaces } from "../../components/manifests/flows";
import type { Settings } from "../../settings/settings";

/** Key of a registry's login in a Secret. */
export const DOCKER_CONFIG = ".dockerconfigjson";

/** An object that the settings name, and where it has to be. */
export interface PlacedObject extends ExistingObject {
  readonly namespace: string;
  /** What makes it by itself, if anything does. */
  readonly madeBy?: string;
}

/** Every object that must be there before the stack's pods start, each once. */
export function existingObjects(
  settings: Pick<
    Settings,
    | "temporal"
    | "postgres"
    | "certManager"
    | "namespaces"
    | "workerImage"
    | "imagePull"
    | "workers"
    | "payloadEncryption"
  >,
): PlacedObject[] {
  const { workerImage, imagePull, namespaces, workers, postgres } = settings;
  const pullSecret = workerImage.pullSecret?.existing;
  const all = [
    ...imagePull.existing.flatMap((name) =>
      ownNamespaces(settings).map((namespace) => pull("imagePull.existing", namespace, name)),
    ),
    ...(pullSecret === undefined
      ? []
      : [pull("workerImage.pullSecret.existing", namespaces.workers, pullSecret)]),
    ...workers.flatMap(({ name }) =>
      neededByWorkers(settings, name).map((object) => ({ ...object, namespace: namespaces.workers })),
    ),
    ...[
      ...(postgres?.mode === "managed" ? neededByPostgresService(postgres) : []),
      ...(postgres?.mode === "cluster" && postgres.backup ? neededByBackups(postgres.backup) : []),
      ...neededByUi(settings),
    ].map((object) => ({ ...object, namespace: namespaces.temporal })),
  ];
  return [...new Map(all.map((object) => [JSON.stringify(object), object])).values()];
}

const pull = (setting: string, namespace: string, name: string): PlacedObject => ({
  setting,
  kind: "Secret",
  name,
  key: DOCKER_CONFIG,
  namespace,
});

function neededByUi({
  temporal,
}: Pick<Settings, "temporal">): (ExistingObject & Pick<PlacedObject, "madeBy">)[] {
  if (temporal.mode !== "chart" || !temporal.ui.enabled) return [];
  const { ingress, login, envSecret } = temporal.ui;
  const from = login?.clientSecretFrom;
  const issuer = Object.keys(ingress?.annotations ?? {}).some((key) => key.startsWith("cert-manager.io/"));
  const secret = (setting: string, name: string, key?: string) => ({
    setting: `temporal.ui.${setting}`,
    kind: "Secret" as const,
    name,
    key,
  });
  return [
    ...(ingress === undefined
      ? []
      : [
          {
            ...secret("ingress.tlsSecret", ingress.tlsSecret, "tls.crt"),
            ...(issuer ? { madeBy: "cert-manager, by the annotations of the Ingress" } : {}),
          },
        ]),
    ...(from === undefined ? [] : [secret("login.clientSecretFrom", from.name, from.key)]),
    ...(envSecret === undefined ? [] : [secret("envSecret", envSecret)]),
  ];
}
