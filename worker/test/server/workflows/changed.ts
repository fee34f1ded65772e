import { proxyActivities } from "@temporalio/workflow";
import { finish, waiting as deployed } from "./deployed";

const { audit } = proxyActivities<{ audit: () => Promise<void> }>({ startToCloseTimeout: "10 s" });

export { finish };

/** A step more than the deployed one, without a `patched()` around it. */
export async function waiting(input: string): Promise<string> {
  await audit();
  return deployed(input);
}
