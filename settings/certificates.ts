import { z } from "zod";
import { rule } from "./fields";
import { inYaml, objectName, secretKey } from "./names";
import { certificateProblem, type CertificateUse, privateKeyProblem } from "./pem";
import { secretSetting } from "./secretSettings";

/** Certificates in a setting. */
export function certificates(use: CertificateUse) {
  return z
    .string({ error: "certificates in PEM format" })
    .refine((value) => certificateProblem(value, use) === undefined, {
      error: ({ input }) => (typeof input === "string" ? certificateProblem(input, use) : undefined),
    });
}

/** A private key in a setting. */
export function privateKey() {
  return secretSetting(
    z
      .string({ error: "a private key in PEM format" })
      .refine((value) => privateKeyProblem(value) === undefined, {
        error: ({ input }) => (typeof input === "string" ? privateKeyProblem(input) : undefined),
      }),
  );
}

/** Certificates of authorities in an object of the cluster, for those that are too long for a setting. */
export function authoritiesFrom(namespace: string) {
  return z
    .strictObject({
      secret: inYaml(objectName("the name of a Secret")).optional().describe(`Secret in ${namespace}.`),
      configMap: inYaml(objectName("the name of a ConfigMap"))
        .optional()
        .describe(`Instead: ConfigMap in ${namespace}.`),
      key: inYaml(secretKey("a key of the Secret or ConfigMap"))
        .default("ca.crt")
        .describe("Key that holds the certificates, PEM."),
    })
    .check(({ value, issues }) => {
      if ((value.secret === undefined) === (value.configMap === undefined)) {
        issues.push(rule("must name one object; set either secret or configMap", []));
      }
    });
}

/** Where certificates of authorities are in the cluster. */
export type AuthoritiesFrom = z.output<ReturnType<typeof authoritiesFrom>>;
