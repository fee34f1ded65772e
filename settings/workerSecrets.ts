import { z } from "zod";
import { isOwnVariable, variableName } from "./env";
import { rule, text } from "./fields";
import { labelValue, objectName, secretKey } from "./names";
import { secretSetting } from "./secretSettings";

const revision = labelValue()
  .optional()
  .describe("Change it whenever the content changes: that restarts the pods. Files follow by themselves.");

/** Of the 1 MiB that Kubernetes takes in a Secret. */
const LONGEST_SECRET = 100_000;

const workerSecret = z
  .strictObject({
    secret: objectName("the name of a Secret")
      .optional()
      .describe("Secret that exists in the workers' namespace; refused if it is not there."),
    key: secretKey().optional().describe("Key in it; refused if the Secret has no such key."),
    value: secretSetting(
      text(`a text of 1 to ${LONGEST_SECRET} characters without NUL`, /^[^\0]+$/u, LONGEST_SECRET),
    )
      .optional()
      .describe(
        "The secret itself, instead of `secret` and `key`; only as a secret: `pulumi config set --secret --path`. The program makes a Secret of it, and a change rolls the pods.",
      ),
    env: variableName.optional().describe("Environment variable that holds it."),
    file: secretKey("a file name")
      .optional()
      .describe("File in `/var/run/worker/secrets` that holds it, instead of a variable."),
    revision,
  })
  .check(({ value: entry, issues }) => {
    const { secret, key, value, env, file } = entry;
    const isNamed = secret !== undefined && key !== undefined;
    const isPartlyNamed = secret !== undefined || key !== undefined;
    if ((value !== undefined && isPartlyNamed) || (value === undefined && !isNamed)) {
      issues.push(
        rule("must say where the secret comes from; set either `secret` and `key`, or `value`", []),
      );
    }
    if ((env === undefined) === (file === undefined)) {
      issues.push(rule("must say where the worker finds the secret; set either `env` or `file`", []));
    }
    if (env !== undefined && isOwnVariable(env)) {
      issues.push(rule("is set by this program from other settings; choose another variable", ["env"]));
    }
    if (entry.revision !== undefined && value !== undefined) {
      issues.push(
        rule("is for a Secret that exists: a changed `value` rolls the pods by itself; remove it", [
          "revision",
        ]),
      );
    }
  });

const environmentSource = z
  .strictObject({
    secret: objectName("the name of a Secret")
      .optional()
      .describe("Secret that exists in the workers' namespace; each key becomes a variable."),
    configMap: objectName("the name of a ConfigMap")
      .optional()
      .describe("ConfigMap that exists in the workers' namespace, instead of a Secret."),
    prefix: text("a prefix of letters, digits and _, not beginning with a digit", /^[A-Za-z_]\w*$/, 64)
      .optional()
      .describe("Prefix of the variables' names."),
    revision,
  })
  .check(({ value, issues }) => {
    if ((value.secret === undefined) === (value.configMap === undefined)) {
      issues.push(
        rule("must name where the variables come from; set exactly one of secret and configMap", []),
      );
    }
  });

/** What a worker group is given beside `env`. */
export const workerSecretFields = {
  secrets: z
    .array(workerSecret, { error: "a list of {secret, key, env} or {secret, key, file}" })
    .default([])
    .describe("Secrets of the workers, each as an environment variable or as a file."),
  envFrom: z
    .array(environmentSource, { error: "a list of {secret} or {configMap}" })
    .default([])
    .describe(
      "Secrets and ConfigMaps whose keys all become variables; `env`, `secrets` and the program's own variables take precedence.",
    ),
};

interface Given {
  readonly secrets: readonly z.output<typeof workerSecret>[];
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What is wrong between the secrets of a group, and with its variables. */
export function workerSecretProblems({ secrets, env = {} }: Given) {
  return (["env", "file"] as const).flatMap((target) =>
    secrets.flatMap(({ [target]: name }, index) => {
      if (name === undefined) return [];
      const earlier = secrets.findIndex((other) => other[target] === name);
      const taken =
        earlier < index
          ? `secrets[${earlier}]`
          : target === "env" && Object.hasOwn(env, name)
            ? "env"
            : undefined;
      return taken === undefined
        ? []
        : [rule(`"${name}" is set by ${taken} already; remove one of them`, ["secrets", index, target])];
    }),
  );
}
