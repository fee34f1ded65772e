import type { ListrTask } from "listr2";
import { type ChartImages, provideChartImages } from "../cluster/native/chartImages";
import { chartRepository, startChartRepository } from "../cluster/native/chartRepository";
import { step } from "../../common/progress";
import { programs } from "../toolchain/programs";
import { programStep, type Source } from "../toolchain/toolchain";

/** What Helm and the charts' pods need beyond stack `local`, in the order in which a deployment needs it. */
const chartPrograms = [
  programs.cloudNativePg,
  programs.temporalSqlTool,
  programs.temporalServer,
  programs.temporalUi,
];

/**
 * The steps after which the local cluster can run a stack with `temporal.mode: chart` and
 * `postgres.mode: cluster`: programs, images, and the charts in a repository of their own.
 *
 * @param handOver takes the settings that only this machine knows, to be laid over the stack's own
 */
export const chartSteps = (
  source: Source,
  handOver: (settings: Readonly<Record<string, unknown>>) => void,
): ListrTask[] => [
  ...chartPrograms.map((program) => programStep(program, source)),
  step("chart repository", startChartRepository),
  step("images for the charts", async () => {
    handOver(chartSettings(await provideChartImages()));
  }),
];

const chartSettings = (images: ChartImages): Readonly<Record<string, unknown>> => ({
  charts: { temporalRepository: chartRepository, cloudNativePgRepository: chartRepository },
  temporal: {
    images: { server: images.temporalServer, adminTools: images.temporalAdminTools },
    ui: { image: images.temporalUi },
  },
  postgres: {
    image: images.postgres,
    operator: { image: images.cloudNativePgOperator, gateImage: images.curl },
  },
});
