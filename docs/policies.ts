import { EXCEPTIONS_RULE, THEMES } from "../policy/catalogue";
import type { RuleText } from "../policy/rule";
import { markdownTable } from "./table";

function row({ id, title, reason, fix, levels }: RuleText): string[] {
  return [`\`${id}\``, title, reason, fix, levels.local, levels.dev, levels.prod];
}

const HEADER = ["policy", "what must hold", "why", "what to do", "local", "dev", "prod"];

/** Every policy, from the pack. */
export function policiesPage(): string {
  const themes = Object.entries(THEMES).flatMap(([theme, rules]) => [
    `## ${theme}`,
    markdownTable(HEADER, rules.map(row)),
  ]);
  return `${[
    "# Policies",
    "Written by `npm run docs` from the pack in `policy/`; do not edit.",
    "Run them with any preview or update, on any backend:",
    "```sh\npulumi preview -s prod --policy-pack policy\npulumi up -s prod --policy-pack policy\n```",
    "`mandatory` refuses, `advisory` warns, `disabled` says nothing. A stack of another name than these three is judged as `prod`. A preview names everything that it finds at its end. An update judges each resource before it is touched; what needs the whole stack to be seen is judged by the preview before it, and once more at its end.",
    "Objects inside a Helm release are invisible to a policy pack, its values are not: of our two charts the pods are judged by their values, as far as the chart leaves it to them. What is not known before the update breaks no policy in a preview. No message repeats a value.",
    "## Exceptions",
    "An exception stands in the stack file, with the resource as the policy's message names it:",
    '```yaml\ntemporal-stack:policyExceptions:\n  - policy: image-digest\n    resource: temporal-release/web\n    reason: The tag of the UI\'s image has no published digest to check against.\n    owner: platform\n    expires: "2027-05-31"\n```',
    "It holds until the end of the day that it names, in UTC. After that, without an owner or with the id of a policy that does not exist it is an error on every stack:",
    markdownTable(HEADER, [row(EXCEPTIONS_RULE)]),
    ...themes,
  ].join("\n\n")}\n`;
}
