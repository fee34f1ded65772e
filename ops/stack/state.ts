import { z } from "zod";
import { quarantineOutput, type Quarantined } from "../../components/guards/quarantineGuard";
import { deployedRecord, type DeployedRecord } from "../../components/guards/record";
import { RELEASE_NAMES } from "../../components/manifests/chartSource";
import type { ProgramRevision } from "../../components/manifests/sourceRevision";
import { type Release, releasesOutput } from "../../components/guards/releases";
import { exportedStack } from "../../common/exportedStack";
import { pendingOperations } from "../../common/pendingOperations";
import { helmReleases, type ReleaseOfStack } from "../../common/stuckReleases";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { askPulumi, type Workspace } from "./workspace";

const deploymentInputs = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
  }),
});
const providerInputs = z.object({ context: z.string().optional() });
const imageOutputs = z.object({
  // Older programs deploy one image, and do not say its name.
  name: z.string().default(WORKER_IMAGE),
  reference: z.string(),
  sources: z.string().nullish(),
});
const programOutputs = z.object({ commit: z.string().nullable(), dirty: z.boolean() });
/** A worker image as a stack's state has it. */
export interface DeployedImage {
  /** Its name in the settings; undefined if only a Deployment tells of it. */
  readonly name: string | undefined;
  /** `repository@sha256:…` */
  readonly reference: string;
  /** Hash of what it was built from, if that is known. */
  readonly sources: string | null;
}

/** What of a stack's state matters to those who go back or recover. */
export interface StackState {
  /** Worker images that run, or that the last update tried to run. */
  readonly images: readonly DeployedImage[];
  /** The program that the last update ran, if it came that far; undefined if nobody recorded it. */
  readonly program: ProgramRevision | undefined;
  /** The Helm releases, with those that an interrupted update may have left behind. */
  readonly helmReleases: readonly ReleaseOfStack[];
  readonly pending: readonly { readonly type: string; readonly urn: string }[];
  readonly quarantine: readonly Quarantined[];
  /** What guards compare changes with; undefined if the stack was deployed by another program. */
  readonly deployed: DeployedRecord | undefined;
  /** Context of the kubeconfig: of the settings, or that which the last update used; undefined: its current one. */
  readonly kubernetesContext: string | undefined;
  /** Whether there is a record of releases. */
  readonly recordsReleases: boolean;
}

/** Reads a stack's state. Nothing secret is opened. */
export async function readState(workspace: Workspace): Promise<StackState> {
  const exported: unknown = JSON.parse(await askPulumi(workspace, ["stack", "export"]));
  return stateOf(exported);
}

/** What `pulumi stack export` printed. */
export function stateOf(exported: unknown): StackState {
  const resources = exportedStack(exported).resources;
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const outputs = ofType("pulumi:pulumi:Stack")[0]?.outputs ?? {};
  const kubernetesContext =
    outputs["kubernetesContext"] ??
    providerInputs.safeParse(ofType("pulumi:providers:kubernetes")[0]?.inputs).data?.context;
  const deployed = deployedRecord.safeParse(outputs["deployed"]);
  const images = ofType("temporal-stack:index:WorkerImage").map((resource) => resource.outputs);
  return {
    program: programOutputs.safeParse(images[0]).data,
    images: imagesOf(
      images,
      ofType("kubernetes:apps/v1:Deployment").map((resource) => resource.inputs),
    ),
    helmReleases: helmReleases(exported, RELEASE_NAMES),
    pending: pendingOperations(exported),
    quarantine: quarantineOutput.parse(outputs["quarantine"] ?? []),
    deployed: deployed.success ? deployed.data : undefined,
    kubernetesContext: typeof kubernetesContext === "string" ? kubernetesContext : undefined,
    recordsReleases: outputs["releases"] !== undefined,
  };
}

/** The images that were to run, and those that Deployments were told to run: after a failure they differ. */
function imagesOf(components: readonly unknown[], deployments: readonly unknown[]): DeployedImage[] {
  const wanted = components.flatMap((outputs): DeployedImage[] => {
    const { data } = imageOutputs.safeParse(outputs);
    if (data?.reference.includes("@sha256:") !== true) return [];
    const { name, reference, sources = null } = data;
    return [{ name, reference, sources }];
  });
  const repositories = wanted.map(({ reference }) => repositoryOf(reference));
  const running = deployments.flatMap(
    (inputs) => deploymentInputs.safeParse(inputs).data?.spec.template.spec.containers ?? [],
  );
  const others = running
    .map(({ image }) => image)
    .filter((image) => image.includes("@sha256:") && repositories.includes(repositoryOf(image)))
    .filter((image, index, all) => all.indexOf(image) === index)
    .filter((image) => wanted.every(({ reference }) => reference !== image))
    .map((reference) => ({ name: undefined, reference, sources: null }));
  return [...wanted, ...others];
}

/** Releases of a stack, oldest first; none if it was deployed by a program that keeps no record of them. */
export async function readReleases(workspace: Workspace, state: StackState): Promise<Release[]> {
  if (!state.recordsReleases) return [];
  const args = ["stack", "output", "releases", "--json", "--show-secrets"];
  const found = releasesOutput.safeParse(JSON.parse(await askPulumi(workspace, args)));
  return found.success ? found.data : [];
}

/** The part of an image reference before its digest. */
export const repositoryOf = (reference: string): string => reference.replace(/@.*$/, "");

/** The digest of an image reference. */
export const digestOf = (reference: string): string => reference.replace(/^.*@/, "");
