import { EVERYWHERE, kindRule } from "../rule";
import { at, isSet, numberAt, textAt } from "../values";

/** Seconds that charts with schema jobs and databases need. */
const LEAST_TIMEOUT = 600;
const RELEASE = ["Release"];

export const helmRules = [
  kindRule(
    {
      id: "helm-hooks",
      title: "Releases run their chart's hooks.",
      reason:
        "disableWebhooks (at installation) and disableCRDHooks (at upgrades) switch off all hooks: the schema is not updated, and the new server does not start.",
      fix: "remove disableWebhooks and disableCRDHooks",
      levels: EVERYWHERE,
    },
    RELEASE,
    (object) =>
      ["disableWebhooks", "disableCRDHooks"]
        .filter((key) => object[key] === true)
        .map((key) => `sets ${key}`),
  ),
  kindRule(
    {
      id: "helm-version",
      title: "Releases name one version of their chart.",
      reason:
        "A range, or none, is resolved anew at each preview: what was reviewed is not what is deployed.",
      fix: "set version to an exact one; settings/versions.ts has them all",
      levels: EVERYWHERE,
    },
    RELEASE,
    (object) => {
      const version = textAt(object, "version");
      if (!isSet(object["version"])) return ["names no version"];
      return version === undefined || /^v?\d+\.\d+\.\d+([-+].+)?$/.test(version)
        ? []
        : ["names a range of versions"];
    },
  ),
  kindRule(
    {
      id: "helm-await",
      title: `Releases are awaited, for at least ${LEAST_TIMEOUT} seconds.`,
      reason:
        "What is not awaited fails after `pulumi up` has said that all is well; too short a time fails well-behaved charts.",
      fix: `remove skipAwait, and set timeout to ${LEAST_TIMEOUT} or more`,
      levels: EVERYWHERE,
    },
    RELEASE,
    (object) => [
      ...(object["skipAwait"] === true ? ["sets skipAwait"] : []),
      ...(isSet(object["timeout"]) && (numberAt(object, "timeout") ?? LEAST_TIMEOUT) >= LEAST_TIMEOUT
        ? []
        : ["has too short a timeout"]),
    ],
  ),
  kindRule(
    {
      id: "helm-flags",
      title: "Releases use no flag that deletes, hides or forgets.",
      reason:
        "forceUpdate and replace delete objects that hold data, reuseValues deploys settings that nobody reads any more, atomic leaves no evidence, createNamespace makes a namespace without Pod Security.",
      fix: "remove the flag; make the namespace with the program",
      levels: EVERYWHERE,
    },
    RELEASE,
    (object) =>
      ["forceUpdate", "replace", "reuseValues", "atomic", "createNamespace"]
        .filter((key) => at(object, key) === true)
        .map((key) => `sets ${key}`),
  ),
];
