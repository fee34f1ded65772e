import { Failure } from "../common/failure";
import { recordedCluster } from "../common/localStack";
import { timed } from "./timedRun";
import { finishedSteps } from "./stepLines";
import { type Figure, seconds } from "./table";

/**
 * Stops the cluster and takes the time of `npm run up` to a finished workflow, and of its parts.
 *
 * @throws Failure when the cluster is somebody else's: it cannot be stopped and started here
 */
export async function warmUpFigures(): Promise<Figure[]> {
  const { way = "native" } = recordedCluster() ?? {};
  if (way === "context") {
    throw new Failure(
      "the stack is deployed to a cluster that npm run up did not make",
      "run npm run down, then npm run up without --context, and measure again",
    );
  }
  await timed(["npm", "run", "--silent", "down"], { remedy: "run npm run down and see what it says" });
  const { seconds: total, output } = await timed(["npm", "run", "--silent", "up", "--", `--${way}`], {
    remedy: "run npm run up and see what it says",
  });
  return [
    seconds("warm npm run up, to a finished workflow", total),
    ...finishedSteps(output)
      .filter((step) => step.seconds >= 1)
      .map((step) => seconds(`  ${step.title}`, step.seconds)),
  ];
}
