import { z } from "zod";
import { hostName } from "./addresses";
import { authoritiesFrom, certificates, privateKey } from "./certificates";
import { rule, text } from "./fields";
import { objectName, secretKey } from "./names";
import { isPair } from "./pem";
import { secretSetting } from "./secretSettings";

const secretName = objectName("the name of a Secret").describe(
  "Secret that exists in the workers' namespace. Workers follow its changes without a restart.",
);

/** How the workers know the server, and the server the workers. */
export const tls = z
  .strictObject({
    serverName: hostName("a host name")
      .optional()
      .describe("Name in the server's certificate; the address's host by default."),
    ca: certificates("authorities")
      .optional()
      .describe("Certificate authority of the server, PEM; the system's authorities by default."),
    caFrom: authoritiesFrom("the workers' namespace")
      .optional()
      .describe("Secret or ConfigMap to take the authorities from, instead of `ca`."),
    client: z
      .strictObject({
        certificate: certificates("client").describe(
          "Client certificate of the workers, PEM; its chain may follow.",
        ),
        privateKey: privateKey().describe(
          "Its private key, PEM, without a passphrase; only as a secret: `pulumi config set --secret --path`.",
        ),
      })
      .check(({ value, issues }) => {
        if (value.privateKey.ask((key) => isPair(value.certificate, key)) === false) {
          issues.push(
            rule("does not belong to the first certificate of temporal.tls.client.certificate; set its own", [
              "privateKey",
            ]),
          );
        }
      })
      .optional()
      .describe("Client certificate of the workers (mTLS)."),
    secret: z
      .strictObject({
        name: secretName,
        caKey: secretKey().optional().describe("Key of the server's authority, like `ca.crt`."),
        certificateKey: secretKey().optional().describe("Key of the workers' certificate, like `tls.crt`."),
        privateKeyKey: secretKey().optional().describe("Key of its private key, like `tls.key`."),
      })
      .check(({ value, issues }) => {
        if ((value.certificateKey === undefined) !== (value.privateKeyKey === undefined)) {
          issues.push(
            rule("a certificate is of no use without its private key; set both keys or neither", []),
          );
        } else if (value.caKey === undefined && value.certificateKey === undefined) {
          issues.push(
            rule("says nothing of what is in the Secret; set caKey, or certificateKey and privateKeyKey", []),
          );
        }
      })
      .optional()
      .describe("Secret to take `ca` and `client` from, instead of setting them here."),
  })
  .check(({ value, issues }) => {
    for (const name of ["ca", "client"] as const) {
      if (value.secret !== undefined && value[name] !== undefined) {
        issues.push(rule("cannot be set together with tls.secret; remove one of them", [name]));
      }
    }
    if (value.caFrom !== undefined && (value.ca ?? value.secret?.caKey) !== undefined) {
      issues.push(
        rule("cannot be set together with tls.ca or tls.secret.caKey; remove one of them", ["caFrom"]),
      );
    }
  })
  .optional()
  .describe(
    "TLS with the server; `{}` trusts the system's authorities. An API key alone turns it on as well.",
  );

/** API key of the workers, as the value itself or by name. */
export const apiKey = secretSetting(text("an API key without white space", /^\S+$/, 100_000))
  .optional()
  .describe("API key of the workers; only as a secret: `pulumi config set --secret --path`.");

/** Where an API key is that this program does not know. */
export const apiKeySecret = z
  .strictObject({
    name: secretName,
    key: secretKey().describe("Key of the API key in it."),
  })
  .optional()
  .describe("Secret to take the API key from, instead of setting `apiKey`.");
