import { z } from "zod";
import { hasLogin, isUrl, peerNetwork, schemeOf, url } from "./addresses";
import { flag, integer, rule, text } from "./fields";
import { keyId, keyIds, type PayloadKey, payloadKeys } from "./payloadKeys";
import { containerResources } from "./workers";

const isOrigin = (value: string): boolean =>
  isUrl(value, ["http", "https"]) && new URL(value).origin === value;

/** Whether a browser on this machine alone is meant: nothing of it goes through a network. */
const isLoopback = (address: string): boolean =>
  isUrl(address, ["http", "https"]) &&
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(address).hostname);

/** Whoever has the token that the stack generates. */
const tokenAuth = z.strictObject({
  mode: z.literal("token").describe("One generated token, in a Secret; for few users."),
});

const httpsUrl = (what: string) => url(`${what}, a URL that begins with https://`, ["https"], /^https:/);

/** Whoever has a token of an identity provider. */
const jwtAuth = z.strictObject({
  mode: z
    .literal("jwt")
    .describe(
      "JSON Web Tokens of an identity provider, such as the access tokens that the Temporal UI passes on.",
    ),
  issuer: text("the issuer as its tokens have it", /^\S+$/, 2048)
    .refine((value) => !hasLogin(value), { error: "an issuer without user name and password" })
    .describe("The tokens' `iss` claim."),
  audience: text("an audience", /^\S+$/, 2048).describe("Must be in the tokens' `aud` claim."),
  jwksUrl: httpsUrl("the provider's key set").describe("Where the provider publishes its public keys."),
  requiredClaims: z
    .record(
      text("the name of a claim", /^\S+$/, 200),
      z
        .array(text("a value of the claim", /^\S(.*\S)?$/, 500), { error: "a list of values" })
        .min(1, { error: "a list of at least one value" }),
      {
        error:
          "a mapping of claims to lists of values, such as {groups: [temporal-admins]}; {} lets everybody in who has a token for the audience",
      },
    )
    .describe(
      "Required claims: a token must hold one of the values of each; a dot in the name selects a nested claim. `{}` admits everybody with a token for the audience.",
    ),
  network: peerNetwork("the identity provider").describe(
    "Where NetworkPolicies let the codec server through.",
  ),
});

const codecServer = z
  .strictObject({
    uiOrigin: url(
      "the UI's origin as browsers write it: scheme, host, and the port if it is not the scheme's own",
      ["https", "http"],
    )
      .refine(isOrigin, {
        error: "the UI's origin without path or slash at the end, such as https://temporal.example.com",
      })
      .describe("Web origin of the Temporal UI; pages of no other may call."),
    publicUrl: url(
      "a URL without query and slash at the end, such as https://codec.example.com",
      ["http", "https"],
      /^https?:\/\/[^\s?#]*[^\s?#/]$/,
    )
      .optional()
      .describe("Address at which browsers reach it; passed to the UI of a server that this stack runs."),
    auth: z
      .discriminatedUnion("mode", [tokenAuth, jwtAuth])
      .default({ mode: "token" })
      .describe("Authentication of the codec server; there is no anonymous access."),
    replicas: integer("pods", 1, 20).default(2).describe("Pods that run."),
    resources: containerResources({ cpu: "50m", memory: "128Mi", memoryLimit: "384Mi" }),
  })
  .check(({ value, issues }) => {
    if (value.publicUrl === undefined || schemeOf(value.publicUrl) !== "http") return;
    if (value.auth.mode === "jwt") {
      issues.push(rule("the Temporal UI passes access tokens on to https:// only; use it", ["publicUrl"]));
    } else if (!isLoopback(value.publicUrl)) {
      issues.push(
        rule(
          "browsers would send the token in the clear; use https://, or http:// with localhost and a port-forward",
          ["publicUrl"],
        ),
      );
    }
  });

interface KeySettings {
  readonly keys: readonly PayloadKey[];
  readonly retiredKeys: readonly PayloadKey[];
  readonly forgottenKeys: readonly string[];
  readonly activeKey: string;
}

/** What is wrong with the lists of keys, taken together. */
function keyProblems({ keys, retiredKeys, forgottenKeys, activeKey }: KeySettings) {
  const all = Object.entries({ keys, retiredKeys }).flatMap(([list, entries]) =>
    entries.map((entry, index) => ({ ...entry, list, index })),
  );
  const ids = keys.map(({ id }) => id);
  return [
    ...all.flatMap(({ id, list, index }) => {
      const first = all.find((entry) => entry.id === id);
      if (first?.list !== list) {
        return [
          rule(`"${id}" is among payloadEncryption.keys, too; remove it from one of the two lists`, [
            list,
            index,
          ]),
        ];
      }
      return first.index === index
        ? []
        : [rule(`"${id}" stands in the list twice; remove one`, [list, index])];
    }),
    ...all.flatMap(({ id, value, list, index }) => {
      const same = all.find(
        (entry) => entry.id !== id && value?.ask((text) => entry.value?.ask((other) => other === text)),
      );
      return same === undefined || all.indexOf(same) > all.findIndex((entry) => entry.id === id)
        ? []
        : [rule(`is the same key as that of "${same.id}"; bring another one`, [list, index, "value"])];
    }),
    ...forgottenKeys.flatMap((id, index) =>
      all.some((entry) => entry.id === id)
        ? [rule(`"${id}" is still among the keys; remove it there first, or here`, ["forgottenKeys", index])]
        : [],
    ),
    ...(ids.includes(activeKey)
      ? []
      : [
          rule(
            `"${activeKey}" is not among payloadEncryption.keys (${ids.join(", ")}); add it there, or name one of them`,
            ["activeKey"],
          ),
        ]),
  ];
}

/** Encryption of workflow payloads before they leave the worker. */
export const payloadEncryption = z
  .strictObject({
    enabled: flag().default(true).describe("Whether payloads are encrypted (AES-256-GCM)."),
    keys: payloadKeys
      .min(1, { error: "a list of at least one key id" })
      .prefault(["key-1"])
      .describe(
        "All keys that workers can decrypt with. An id alone is a key that is generated once and kept; a mapping brings a key.",
      ),
    activeKey: keyId.default("key-1").describe("Id of the key that encrypts new payloads."),
    retiredKeys: payloadKeys
      .prefault([])
      .describe(
        "Keys that no pod gets anymore, in the same form; they are kept in the state or here, and can be reactivated.",
      ),
    forgottenKeys: keyIds
      .default([])
      .describe(
        "Ids of brought keys that are in neither list anymore: acknowledges that nothing written with them can be read again.",
      ),
    bindToWorkflow: flag()
      .default(true)
      .describe(
        "Whether each payload is bound to its workflow (additional authenticated data). Workers of earlier versions cannot read such payloads: set `false` until every worker runs this version. `false` also writes the encoding of Temporal's samples in other languages.",
      ),
    requireEncrypted: flag()
      .default(false)
      .describe(
        "Whether workers reject payloads that are not encrypted. `false` while a namespace has some, or clients without keys.",
      ),
    codecServer: codecServer
      .optional()
      .describe("Codec server, which decodes payloads for the Temporal UI and CLI; none by default."),
  })
  .check(({ value, issues }) => {
    issues.push(...keyProblems(value));
    if (value.requireEncrypted && !value.enabled) {
      issues.push(
        rule(
          "workers could read nothing: payloadEncryption.enabled is false; remove it, or set that to true",
          ["requireEncrypted"],
        ),
      );
    }
    if (value.codecServer !== undefined && !value.enabled) {
      issues.push(
        rule("has nothing to decode: payloadEncryption.enabled is false; remove it, or set that to true", [
          "codecServer",
        ]),
      );
    }
  })
  .prefault({});

/** Settings of the codec server. */
export type CodecServerSettings = z.output<typeof codecServer>;
