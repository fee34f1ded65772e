import type { Rule, RuleText } from "./rule";
import { accountRules } from "./rules/accounts";
import { availabilityRules } from "./rules/availability";
import { dataRules } from "./rules/data";
import { helmRules } from "./rules/helm";
import { imageRules } from "./rules/images";
import { labelRules } from "./rules/labels";
import { networkRules } from "./rules/network";
import { podSecurityRules } from "./rules/podSecurity";
import { probeRules } from "./rules/probes";
import { resourceRules } from "./rules/resources";
import { secretRules } from "./rules/secrets";

/** Every policy by theme, in the order of the documentation. */
export const THEMES: Readonly<Record<string, readonly Rule[]>> = {
  Images: imageRules,
  "Pod security": podSecurityRules,
  Rights: accountRules,
  Network: networkRules,
  Secrets: secretRules,
  Probes: probeRules,
  Resources: resourceRules,
  Availability: availabilityRules,
  Data: dataRules,
  Helm: helmRules,
  Labels: labelRules,
};

/** Every policy. */
export const RULES: readonly Rule[] = Object.values(THEMES).flat();

/** The policy about exceptions: mandatory everywhere, and without exception. */
export const EXCEPTIONS_RULE: RuleText = {
  id: "policy-exceptions",
  title:
    "Exceptions from policies have a policy, a resource, a reason, an owner and a date at which they end.",
  reason: "An exception without an end is a policy that nobody keeps.",
  fix: "correct the policy exception in the stack file, or remove it and do what the policy asks for",
  levels: { local: "mandatory", dev: "mandatory", prod: "mandatory" },
};
