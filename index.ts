import { certManagerOf } from "./components/certManager";
import { ClientAccess } from "./components/clientAccess";
import { lookUpCluster } from "./components/clusterLookup";
import { CodecServer } from "./components/codecServer";
import { refuseOtherCluster } from "./components/guards/cluster";
import { ownOutputs } from "./components/guards/ownOutputs";
import { refuseLostKeys } from "./components/guards/payloadKeysGuard";
import { refuseQuarantined } from "./components/guards/quarantineGuard";
import { lastSuccess, recordOf, refuseForbiddenChanges } from "./components/guards/record";
import { recordRelease } from "./components/guards/releases";
import { unlessRefused } from "./components/guards/verdict";
import { imagePullSecret, stackPullSecrets } from "./components/imagePullSecret";
import { kubernetesProvider } from "./components/kubernetesProvider";
import { StackNamespaces } from "./components/namespaces";
import { programRevision } from "./components/manifests/sourceRevision";
import { temporalNamespaceOf } from "./components/manifests/temporalNames";
import { monitoringOf } from "./components/monitoring";
import { NetworkPolicies } from "./components/networkPolicies";
import { PayloadKeyring } from "./components/payloadKeyring";
import { postgresOf } from "./components/postgresMode";
import { replayCommandOf } from "./settings/replay";
import { loadSettings } from "./settings/settings";
import { smokeWorkflowOf } from "./settings/smoke";
import { temporalServer } from "./components/temporalMode";
import { temporalCredentials } from "./components/temporalCredentials";
import { StackIdentity } from "./components/stackIdentity";
import { registerTransforms } from "./components/transforms";
import { TemporalWorker } from "./components/worker";
import { imagesToRun, workerImages } from "./components/workerImage";

registerTransforms();
const settings = loadSettings();
const own = ownOutputs();
const imagesWanted = imagesToRun(settings);
const revision = programRevision(__dirname);
const succeeded = lastSuccess(own);
const allowed = unlessRefused(
  Promise.all([
    refuseQuarantined(settings, imagesWanted, own),
    refuseForbiddenChanges(settings, succeeded),
    refuseLostKeys(settings, own),
  ]),
);
const inQuarantine = allowed.then(([images]) => images);
const found = lookUpCluster(settings);
const identity = new StackIdentity("stack-identity", { settings, cluster: found });
const ownCluster = refuseOtherCluster(settings, identity.cluster, found);
const kubernetes = kubernetesProvider(settings, Promise.all([allowed, ownCluster]));
const cluster = { providers: { kubernetes } };

const namespaces = new StackNamespaces("namespace", { settings, stackId: identity.id }, cluster);
const policies = new NetworkPolicies("policy", { settings, namespaces }, cluster);
const workersNamespace = namespaces.named(settings.namespaces.workers);

const first = [policies, ...stackPullSecrets(settings, namespaces, cluster)];

const certificates = certManagerOf(settings, namespaces, { ...cluster, dependsOn: first });
monitoringOf(settings, namespaces, cluster);

const postgres = postgresOf(settings, namespaces, succeeded, certificates, { ...cluster, dependsOn: first });
const temporal = temporalServer(settings, namespaces, postgres, succeeded, { ...cluster, dependsOn: first });

const keyring = settings.payloadEncryption.enabled
  ? new PayloadKeyring("payload-keyring", { settings, namespace: workersNamespace }, cluster)
  : undefined;

const credentials = temporalCredentials(settings, workersNamespace, cluster);

const builds = { settings: settings.workerImage, revision, quarantine: inQuarantine };
const images = workerImages(imagesWanted, builds, { dependsOn: [kubernetes] });
const pullSecret = imagePullSecret(settings, workersNamespace, cluster);

const groups = settings.workers.map((worker) => ({
  worker,
  component: new TemporalWorker(
    `worker-${worker.name}`,
    {
      settings,
      worker,
      namespace: workersNamespace,
      image: images.named(worker.image),
      keyring,
      credentials,
      pullSecret,
    },
    { ...cluster, dependsOn: [...first, ...temporal.resources] },
  ),
}));

const codecSettings = settings.payloadEncryption.codecServer;
const codec =
  codecSettings && keyring
    ? new CodecServer(
        "codec-server",
        {
          settings,
          server: codecSettings,
          namespace: workersNamespace,
          image: images.sample,
          keyring,
          pullSecret,
        },
        { ...cluster, dependsOn: first },
      )
    : undefined;

for (const client of settings.clients) {
  new ClientAccess(`client-${client.namespace}`, { settings, client, keyring }, cluster);
}

/** Context of the kubeconfig; null: its current one. */
export const kubernetesContext = settings.kubernetes.context ?? null;
/** host:port of the Temporal frontend, as the workers see it. */
export const temporalAddress = temporal.address;
/** Temporal namespace of the workflows. */
export const temporalNamespace = temporal.namespace;
/** Service of the frontend `{namespace, service, port}`; null if the server is external. */
export const temporalFrontend = temporal.frontend;
/** Service of the UI `{namespace, service, port}`; null if the server is external. */
export const temporalUi = temporal.ui;
/** The image of `workerImage` by digest. */
export const workerImage = images.sample;
/** Worker groups. */
export const workers = groups.map(({ worker, component }) => ({
  name: worker.name,
  namespace: workersNamespace,
  deployment: component.deployment,
  taskQueues: worker.taskQueues,
  replay: replayCommandOf(worker),
  smoke: smokeWorkflowOf(settings.smoke, worker) ?? null,
  temporalNamespace: temporalNamespaceOf(settings, worker),
  image: { name: worker.image, reference: images.named(worker.image).reference },
}));
/** Where the payload keys are, by name and fingerprint; null if payloads are not encrypted. */
export const payloadKeyring = keyring
  ? {
      namespace: workersNamespace,
      secret: keyring.secretName,
      activeKey: settings.payloadEncryption.activeKey,
      keys: keyring.recorded,
    }
  : null;
/** Where the codec server is, and the Secret with its token, by name; null if there is none. */
export const codecServer = codec
  ? {
      namespace: workersNamespace,
      service: codec.service,
      port: codec.port,
      tokenSecret: codec.tokenSecret ?? null,
    }
  : null;
/** What guards compare the next change with. */
export const deployed = recordOf(settings);
/** Worker images that no update may deploy until somebody releases them. */
export const quarantine = inQuarantine;
/** What was deployed, oldest first, for `npm run rollback`. */
export const releases = recordRelease(settings, { images: images.all, revision }, own);
