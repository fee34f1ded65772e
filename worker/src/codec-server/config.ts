import { readFileSync } from "node:fs";
import { z } from "zod";
import { load } from "../config";
import type { Keyring } from "../codec/keyring";
import { integer, required } from "../config/fields";
import { rule } from "../config/schema";
import type { LoggerLevel } from "../logger";

/** Who may have payloads encoded and decoded. */
export type AuthenticationConfig =
  | { readonly mode: "token"; readonly token: string }
  | {
      readonly mode: "jwt";
      /** The `iss` claim. */
      readonly issuer: string;
      /** One of the `aud` claim. */
      readonly audience: string;
      /** Where the issuer publishes its public keys. */
      readonly jwksUrl: URL;
      /** What a token must say beside, by claim: one of these. */
      readonly requiredClaims: RequiredClaims;
    };

/** Values by claim; a dot in its name leads into an object. */
export type RequiredClaims = Readonly<Record<string, readonly string[]>>;

export interface CodecServerConfig {
  readonly port: number;
  readonly healthPort: number;
  readonly logLevel: LoggerLevel;
  /** The only web origin whose pages may call, such as `https://temporal.example.com`. */
  readonly uiOrigin: string;
  readonly keyring: Keyring;
  readonly authentication: AuthenticationConfig;
}

/** 192 bits of entropy in any alphabet that tokens are made of. */
const LEAST_TOKEN_LENGTH = 32;

const tokenFile = z.string().transform((path, context): string => {
  let token: string | undefined;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch {
    context.addIssue({ code: "custom", message: `${path} cannot be read` });
    return z.NEVER;
  }
  if (token.length >= LEAST_TOKEN_LENGTH && /^[!-~]+$/.test(token)) return token;
  const expected = `at least ${LEAST_TOKEN_LENGTH} printable characters without spaces`;
  context.addIssue({ code: "custom", message: `${path}: expected ${expected}` });
  return z.NEVER;
});

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

/** Keys that came over plain HTTP could be anybody's; only this machine can be trusted with it. */
const isTrustworthy = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));

const CLAIMS = 'expected JSON, such as {"groups": ["temporal-admins"]}; {} lets all of the audience in';

const jwksUrl = z
  .string()
  .refine((text) => isTrustworthy(urlOf(text) ?? new URL("none:")), {
    error: "expected an https:// address, such as https://login.example.com/.well-known/jwks.json",
  })
  .transform((text) => new URL(text));

/** Who of the issuer's users may read payloads has to be said, if only that all may. */
const requiredClaims = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: CLAIMS });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string().min(1), z.array(z.string().min(1)).min(1), { error: CLAIMS }));

const JWT_SETTINGS = [
  "CODEC_AUTH_ISSUER",
  "CODEC_AUTH_AUDIENCE",
  "CODEC_AUTH_JWKS_URL",
  "CODEC_AUTH_REQUIRED_CLAIMS",
] as const;
const ALL_JWT_SETTINGS = JWT_SETTINGS.join(", ");

const schema = z
  .object({
    CODEC_KEYS_DIR: required("the keyring folder"),
    CODEC_ACTIVE_KEY: required("the id of the key to encode with"),
    CODEC_SERVER_PORT: integer({ min: 1, max: 65_535, fallback: 8081 }),
    CODEC_UI_ORIGIN: required("the web origin of the Temporal UI").refine(
      (text) => /^https?:/.test(text) && urlOf(text)?.origin === text,
      {
        error: "expected scheme, host and port as browsers write them, such as https://temporal.example.com",
      },
    ),
    CODEC_AUTH_TOKEN_FILE: tokenFile.optional(),
    CODEC_AUTH_ISSUER: z.string().optional(),
    CODEC_AUTH_AUDIENCE: z.string().optional(),
    CODEC_AUTH_JWKS_URL: jwksUrl.optional(),
    CODEC_AUTH_REQUIRED_CLAIMS: requiredClaims.optional(),
    HEALTH_PORT: integer({ min: 1, max: 65_535, fallback: 8080 }),
    LOG_LEVEL: z
      .enum(["trace", "debug", "info", "warn", "error"], {
        error: "expected trace, debug, info, warn or error",
      })
      .default("info"),
  })
  .refine(
    (env) =>
      (env.CODEC_AUTH_TOKEN_FILE !== undefined) !== JWT_SETTINGS.some((name) => env[name] !== undefined),
    rule(
      "CODEC_AUTH_TOKEN_FILE",
      `set either this or ${ALL_JWT_SETTINGS}: nobody is served without a token, and there are no two ways in`,
      JWT_SETTINGS,
    ),
  )
  .refine(
    (env) => new Set(JWT_SETTINGS.map((name) => env[name] === undefined)).size === 1,
    rule("CODEC_AUTH_ISSUER", `${ALL_JWT_SETTINGS} must be set together`, JWT_SETTINGS),
  )
  .refine(
    (env) => env.CODEC_SERVER_PORT !== env.HEALTH_PORT,
    rule("CODEC_SERVER_PORT", "must differ from HEALTH_PORT", ["HEALTH_PORT"]),
  );

function authentication(env: z.output<typeof schema>): AuthenticationConfig {
  const {
    CODEC_AUTH_TOKEN_FILE: token,
    CODEC_AUTH_ISSUER: issuer,
    CODEC_AUTH_AUDIENCE: audience,
    CODEC_AUTH_JWKS_URL: jwksUrl,
    CODEC_AUTH_REQUIRED_CLAIMS: requiredClaims,
  } = env;
  if (token !== undefined) return { mode: "token", token };
  if (
    issuer !== undefined &&
    audience !== undefined &&
    jwksUrl !== undefined &&
    requiredClaims !== undefined
  ) {
    return { mode: "jwt", issuer, audience, jwksUrl, requiredClaims };
  }
  throw new Error("the schema let a codec server without authentication through");
}

/**
 * Settings of the codec server.
 *
 * @param environment usually `process.env`; the variables are listed in README.md
 * @throws ConfigurationError with every problem
 */
export function loadCodecServerConfig(
  environment: Readonly<Record<string, string | undefined>>,
): CodecServerConfig {
  const { settings: env, keyring } = load(schema, environment);
  if (keyring === undefined) throw new Error("the schema let a codec server without keys through");
  return {
    port: env.CODEC_SERVER_PORT,
    healthPort: env.HEALTH_PORT,
    logLevel: env.LOG_LEVEL,
    uiOrigin: env.CODEC_UI_ORIGIN,
    keyring,
    authentication: authentication(env),
  };
}
