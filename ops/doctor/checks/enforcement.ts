import type { Check } from "../check";
import { type Finding, failed, notChecked, ok } from "../finding";
import { probeEnforcement, type Probed } from "../probe";
import { probeImage } from "../probeImage";

/** NetworkPolicies are enforced: the one check that makes something in the cluster, for as long as it takes. */
export const enforcement: Check = {
  name: "enforcement",
  about: "NetworkPolicies are enforced: a connection that one denies is refused",
  // More than the probe takes at most: it has to end by itself, as it takes back what it made.
  seconds: 600,
  examine: async ({ settings, kubeConfig, signal }) => {
    const image = probeImage(settings);
    if (image === undefined) {
      return [
        notChecked(
          "no image of the stack is known yet with which a connection could be tried",
          "run it again after the first up, or set temporal-stack:workerImage.digest",
        ),
      ];
    }
    return enforcementFindings(await probeEnforcement(kubeConfig, image, signal));
  },
};

export function enforcementFindings({ before, denied, after }: Probed): Finding[] {
  const again = "run it again; if it stays so, leave it out with --no-probe and look at the network plugin";
  if (!before.reached)
    return [notChecked(`two pods do not reach each other even without a policy: ${before.said}`, again)];
  if (denied.reached)
    return [
      failed(
        "NetworkPolicies are not enforced: a policy that denies everything let a connection through",
        "install a network plugin that enforces them, or turn that on: Calico, Cilium, the cloud's own (docs/clusters.md); on this machine npm run addons",
      ),
    ];
  if (!after.reached)
    return [
      notChecked(
        `a connection was refused under a policy, and also after it was gone, so the policy proves nothing: ${after.said}`,
        again,
      ),
    ];
  return [ok("NetworkPolicies are enforced: a connection that one denied was refused")];
}
