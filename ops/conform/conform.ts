import { imageReference } from "../replay/candidate";
import type { Check, Subject } from "../doctor/check";
import { clusterLogin } from "../doctor/checks/images";
import { cluster } from "../doctor/checks/cluster";
import { settings as settingsCheck } from "../doctor/checks/settings";
import { type ExamineOptions, runChecks, subjectOf } from "../doctor/examine";
import type { Finding } from "../doctor/finding";
import { type ImageConfig, placeOf, readImageConfig } from "../doctor/registry";
import type { DoctorReport } from "../doctor/report";
import type { Settings } from "../../settings/settings";
import { imageOfGroup } from "../../settings/stackImages";
import { type Candidate, candidateOf } from "./candidate";
import {
  buildFindings,
  configFindings,
  connectionFindings,
  healthFindings,
  metricsFindings,
  replayFindings,
  shutdownFindings,
  startFindings,
} from "./findings";
import { type Trial, tryImage } from "./trial";

/** More than a trial takes at most: it has to end by itself, as it takes back what it made. */
const SECONDS = 600;
const ABOUT = {
  image: "what the image says of itself: platform, user, program",
  start: "it runs as 65532, on a read-only root",
  connection: "it connects to the address and polls the queues of its environment",
  health: "it answers Kubernetes' questions",
  metrics: "it serves metrics",
  shutdown: "it ends on SIGTERM",
  replay: "its open workflows can be replayed before a rollout",
  build: "it names its build",
} as const;
type Name = keyof typeof ABOUT;

/** Names of the checks. */
export const CONFORM_CHECKS: readonly string[] = ["settings", "cluster", ...Object.keys(ABOUT)];

/** Which image is looked at, and as what. */
export interface ConformOptions extends ExamineOptions {
  readonly image: string;
  /** A group of the stack, with its command, ports, probes and queues; default: the contract's defaults. */
  readonly group: string | undefined;
}

/**
 * Says what an image keeps of the worker contract.
 *
 * @throws UsageFailure when the stack has no file or no such group, or the image is not named by its content
 */
export async function conform(stack: string, options: ConformOptions): Promise<DoctorReport> {
  const { subject, loaded, reached } = await subjectOf(stack, options.signal);
  const deployed = loaded.settings === undefined ? "" : repositoryOf(loaded.settings, options.group);
  const image = imageReference(options.image, deployed);
  const candidate =
    loaded.settings === undefined ? undefined : candidateOf(loaded.settings, image, options.group);
  const checks = [
    settingsCheck(loaded),
    cluster(reached),
    ...(candidate === undefined ? [] : contractChecks(candidate)),
  ];
  return { stack, checks: await runChecks(checks, subject, options) };
}

/** Of the group's image, for who names a digest alone. */
function repositoryOf(settings: Settings, group: string | undefined): string {
  const own = group === undefined ? undefined : imageOfGroup(settings, group);
  return (own ?? settings.workerImage).repository;
}

/** One trial answers most of them: the first that asks makes it. */
function contractChecks(candidate: Candidate): Check[] {
  let trial: Promise<Trial> | undefined;
  const tried = (subject: Subject): Promise<Trial> =>
    (trial ??= tryImage(subject.kubeConfig, subject.settings, candidate, subject.signal));
  let read: Promise<ImageConfig> | undefined;
  const config = (subject: Subject): Promise<ImageConfig> => (read ??= configOf(subject, candidate));
  const check = (name: Name, examine: (subject: Subject) => Promise<readonly Finding[]>): Check => ({
    name,
    about: ABOUT[name],
    seconds: SECONDS,
    examine,
  });
  return [
    check("image", async (subject) => configFindings(await config(subject), candidate)),
    check("start", async (subject) => startFindings(await tried(subject), candidate)),
    check("connection", async (subject) => connectionFindings(await tried(subject), candidate)),
    check("health", async (subject) => healthFindings(await tried(subject), candidate)),
    check("metrics", async (subject) => metricsFindings(await tried(subject), candidate)),
    check("shutdown", async (subject) => shutdownFindings(await tried(subject))),
    check("replay", () => Promise.resolve(replayFindings(candidate))),
    check("build", async (subject) => {
      const labels = await config(subject).then(
        (own) => own.labels,
        () => undefined,
      );
      return buildFindings(await tried(subject), labels);
    }),
  ];
}

async function configOf(subject: Subject, { image, platform }: Candidate): Promise<ImageConfig> {
  const [repository = "", digest = ""] = image.split("@");
  const place = { ...placeOf(repository), digest };
  return readImageConfig(place, platform, (await clusterLogin(subject, place)).auth);
}
