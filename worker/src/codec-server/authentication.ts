import { createHash, timingSafeEqual } from "node:crypto";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import type { AuthenticationConfig, RequiredClaims } from "./config";

/** Who calls, or why they are turned away; the reason never holds the token. */
export type Verdict = { readonly subject: string } | { readonly refusal: string };

/** Decides by the `Authorization` header. */
export interface Authenticator {
  /** What `WWW-Authenticate` asks for. */
  readonly challenge: string;
  /** Gets what it needs to judge; to be repeated when it fails. */
  readonly prepare: () => Promise<void>;
  /** @throws what keeps it from judging, such as an issuer that cannot be reached */
  readonly authenticate: (authorization: string | undefined) => Promise<Verdict>;
}

/** Clocks of issuer and cluster may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** Asymmetric only: a key set is public, so none of its keys may ever verify a shared-secret signature. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const NO_TOKEN = "no token of a supported kind";

function credentials(scheme: string, authorization: string | undefined): string | undefined {
  const [, given, value] = /^([A-Za-z]+) +([!-~]+)$/.exec(authorization ?? "") ?? [];
  return given?.toLowerCase() === scheme ? value : undefined;
}

const bearerToken = (authorization: string | undefined): string | undefined =>
  credentials("bearer", authorization);

/** A browser can be made to keep a password, but no other header, for requests of the UI to another origin. */
function basicPassword(authorization: string | undefined): string | undefined {
  const pair = credentials("basic", authorization);
  if (pair === undefined) return undefined;
  const text = Buffer.from(pair, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** One shared token, as `Bearer` or as the password of `Basic` with any user name; compared in constant time. */
export function tokenAuthenticator(token: string): Authenticator {
  const expected = digest(token);
  return {
    challenge: 'Bearer, Basic realm="Temporal payloads", charset="UTF-8"',
    prepare: async () => undefined,
    authenticate: async (authorization) => {
      const given = bearerToken(authorization) ?? basicPassword(authorization);
      if (given === undefined) return { refusal: NO_TOKEN };
      return timingSafeEqual(digest(given), expected) ? { subject: "token" } : { refusal: "wrong token" };
    },
  };
}

const TOKENS_FAULT = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

/**
 * JSON Web Tokens of one issuer for one audience, verified with the keys that the issuer publishes; of those who hold
 * one, only who has the required claims is let in.
 */
export function jwtAuthenticator(
  config: Omit<Extract<AuthenticationConfig, { mode: "jwt" }>, "mode">,
): Authenticator {
  const { issuer, audience, jwksUrl, requiredClaims } = config;
  const keys = createRemoteJWKSet(jwksUrl);
  return {
    challenge: "Bearer",
    prepare: () => keys.reload(),
    authenticate: async (authorization) => {
      const token = bearerToken(authorization);
      if (token === undefined) return { refusal: NO_TOKEN };
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          requiredClaims: ["exp"],
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
        });
        const missing = missingClaims(payload, requiredClaims);
        if (missing.length > 0)
          return { refusal: `the token lacks what is required of ${missing.join(", ")}` };
        return { subject: payload.sub ?? "without a sub claim" };
      } catch (error) {
        if (TOKENS_FAULT.some((fault) => error instanceof fault)) return { refusal: String(error) };
        throw error;
      }
    },
  };
}

/** Names of the claims that hold none of the values that are asked for. */
function missingClaims(token: JWTPayload, required: RequiredClaims): string[] {
  return Object.entries(required).flatMap(([claim, accepted]) =>
    valuesOf(claim, claimOf(token, claim)).some((value) => accepted.includes(value)) ? [] : [claim],
  );
}

/** Claims may have dots in their names, as those that are URLs, and may be objects, as `realm_access.roles`. */
function claimOf(token: unknown, path: string): unknown {
  if (typeof token !== "object" || token === null) return undefined;
  const claims = new Map<string, unknown>(Object.entries(token));
  if (claims.has(path)) return claims.get(path);
  const [first = "", ...rest] = path.split(".");
  return rest.length === 0 ? undefined : claimOf(claims.get(first), rest.join("."));
}

/** RFC 8693: `scope` holds several values in one text. */
function valuesOf(claim: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => valuesOf("", item));
  if (typeof value === "string") return claim === "scope" ? value.split(" ") : [value];
  return typeof value === "boolean" || typeof value === "number" ? [String(value)] : [];
}

export function createAuthenticator(config: AuthenticationConfig): Authenticator {
  return config.mode === "token" ? tokenAuthenticator(config.token) : jwtAuthenticator(config);
}
