import { z } from "zod";
import { images as imagePins } from "./versions";
import { ingressHost, peerNetwork, url } from "./addresses";
import { looksSecret } from "./env";
import { flag, ifWrongType, integer, rule, text } from "./fields";
import { imagePin } from "./imagePin";
import { versionedImage } from "./images";
import { annotationMap, inYaml, objectName, secretKey } from "./names";
import { secretSetting } from "./secretSettings";
import { containerResources } from "./workers";

const secretName = objectName("the name of a Secret");
const httpsUrl = (what: string) =>
  url(`${what}: a URL that begins with https://`, ["https"], /^https:\/\/[^\s@]+$/);

const ingress = z.strictObject({
  host: inYaml(ingressHost("a host name")).describe("Host name of the UI."),
  className: inYaml(objectName("an ingress class"))
    .optional()
    .describe("Ingress class; the cluster's default one if absent."),
  tlsSecret: inYaml(secretName).describe("Secret with the certificate of the host."),
  annotations: annotationMap()
    .default({})
    .describe("Annotations of the Ingress, like a cert-manager issuer."),
});

const login = z
  .strictObject({
    providerUrl: httpsUrl("the identity provider").describe(
      "OpenID Connect provider; the UI reads its discovery document.",
    ),
    issuerUrl: httpsUrl("the issuer")
      .optional()
      .describe("Issuer in its tokens, if it differs from `providerUrl`."),
    clientId: text("a client id", /^[^\s"']+$/, 255).describe("Id of the UI as the provider's client."),
    clientSecret: secretSetting(z.string({ error: "a secret text" }).min(1, { error: "a secret text" }))
      .optional()
      .describe("Secret of that client; only as a secret: `pulumi config set --secret --path`."),
    clientSecretFrom: z
      .strictObject({
        name: secretName.describe("Secret that exists in the server's namespace."),
        key: secretKey().describe("Its key with the client's secret."),
      })
      .optional()
      .describe(
        "Alternative to `clientSecret`: an existing Secret that holds it. A change of its content requires a restart of the UI.",
      ),
    callbackUrl: httpsUrl("the callback")
      .optional()
      .describe(
        "Where the provider sends users back to; `https://<ui.ingress.host>/auth/sso/callback` by default.",
      ),
    scopes: z
      .array(text("a scope", /^[^\s,"']+$/, 255), { error: "a list of scopes" })
      .min(1, { error: "a list of at least one scope" })
      .default(["openid", "profile", "email"])
      .describe("Scopes that the UI asks for."),
    network: peerNetwork("the identity provider").describe("Where NetworkPolicies let the UI through."),
  })
  .check(({ value, issues }) => {
    if ((value.clientSecret === undefined) === (value.clientSecretFrom === undefined)) {
      issues.push(
        rule("must know the client's secret; set exactly one of clientSecret and clientSecretFrom", []),
      );
    }
  });

/** Variables that `payloadEncryption.codecServer.publicUrl` decides where it is set. */
export const CODEC_VARIABLES = ["ENDPOINT", "PASS_ACCESS_TOKEN", "INCLUDE_CREDENTIALS"].map(
  (name) => `TEMPORAL_CODEC_${name}`,
);
/** Variables that other settings decide. */
const OWN_VARIABLES = /^TEMPORAL_(ADDRESS|UI_PORT)$/;

const environment = z
  .record(
    text("a variable of the UI, like TEMPORAL_BANNER_TEXT", /^[A-Z_][A-Z0-9_]*$/, 128),
    z
      .string({ error: "a text (numbers and true/false in quotes)" })
      .max(4096, { error: "at most 4096 characters" }),
    ifWrongType("a mapping of variable names to texts"),
  )
  .check(({ value, issues }) => {
    for (const [name, text] of Object.entries(value)) {
      if (OWN_VARIABLES.test(name)) {
        issues.push(rule("is set by this program from other settings; remove it here", [name]));
      } else if (name.endsWith("_KEY_DATA") || (looksSecret(name) && !/^(true|false|)$/i.test(text))) {
        issues.push(
          rule("is a secret, and everything here is readable in the cluster; use ui.envSecret", [name]),
        );
      }
    }
  });

/** The UI of a server from the official chart. */
export const ui = z
  .strictObject({
    enabled: flag().default(true).describe("Whether the UI runs."),
    image: versionedImage("an image of the Temporal UI")
      .default(imagePin(imagePins.temporalUi))
      .describe("Image of the UI."),
    replicas: integer("pods", 1, 20).default(1).describe("Pods of the UI."),
    resources: containerResources({ cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" }),
    ingress: ingress
      .optional()
      .describe(
        "Ingress for the UI; `networkAccess.uiFrom` must admit the ingress controller. Without it, the UI is reachable inside the cluster only. Without `ui.login` the UI has no authentication: put one in front.",
      ),
    login: login
      .optional()
      .describe("Single sign-on with OpenID Connect; without it the UI has no authentication."),
    env: environment
      .default({})
      .describe(
        "Additional environment variables of the UI (`TEMPORAL_*` of its documentation); no secrets.",
      ),
    envSecret: inYaml(secretName)
      .optional()
      .describe("Secret in the server's namespace whose keys become environment variables of the UI, too."),
  })
  .check(({ value, issues }) => {
    if (value.login === undefined) return;
    if (value.login.callbackUrl === undefined && value.ingress === undefined) {
      issues.push(
        rule("is not known: there is no ui.ingress whose host it would have; set it", [
          "login",
          "callbackUrl",
        ]),
      );
    }
    for (const name of Object.keys(value.env).filter((name) => name.startsWith("TEMPORAL_AUTH_"))) {
      if (OF_LOGIN.includes(name)) {
        issues.push(rule("is set from ui.login; remove it here", ["env", name]));
      }
    }
  })
  .prefault({});

/** Variables that `ui.login` decides. */
const OF_LOGIN = ["ENABLED", "PROVIDER_URL", "ISSUER_URL", "CLIENT_ID", "CALLBACK_URL", "SCOPES"].map(
  (name) => `TEMPORAL_AUTH_${name}`,
);
