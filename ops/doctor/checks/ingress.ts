import type { Settings } from "../../../settings/settings";
import type { Check } from "../check";
import { type Finding, failed, ok } from "../finding";

/** The ingress class of the UI, where the settings ask for an Ingress. */
export const ingress: Check = {
  name: "ingress",
  about: "ingress class of the UI",
  examine: async ({ settings, cluster }) =>
    uiIngress(settings) === undefined
      ? [ok("the stack makes no Ingress")]
      : ingressFindings(uiIngress(settings)?.className, await cluster.ingressClasses()),
};

const uiIngress = ({ temporal }: Pick<Settings, "temporal">) =>
  temporal.mode === "chart" && temporal.ui.enabled ? temporal.ui.ingress : undefined;

/** @param wanted class of the settings; undefined: the cluster's default one */
export function ingressFindings(
  wanted: string | undefined,
  classes: readonly { readonly name: string; readonly isDefault: boolean }[],
): Finding[] {
  const found = classes.find(({ name, isDefault }) => (wanted === undefined ? isDefault : name === wanted));
  if (found !== undefined) return [ok(`ingress class ${found.name}`)];
  const choice =
    classes.length === 0 ? "it has none" : `it has ${classes.map(({ name }) => name).join(", ")}`;
  return [
    failed(
      wanted === undefined
        ? `the cluster has no default ingress class: ${choice}`
        : `the cluster has no ingress class ${wanted}: ${choice}`,
      "install an ingress controller, or name its class in temporal-stack:temporal.ui.ingress.className",
    ),
  ];
}
