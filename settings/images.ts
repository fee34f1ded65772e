import { isHostName, isPort } from "./addresses";
import { text } from "./fields";

/*
 * Image references, by the grammar of github.com/distribution/reference.
 */

const PATH_PART = /^[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

interface Reference {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function referenceOf(value: string): Reference | undefined {
  const [name = "", digest, ...more] = value.split("@");
  const [, repository = "", tag] = /^(.*?)(?::([^:/]*))?$/.exec(name) ?? [];
  const valid =
    more.length === 0 &&
    isRepository(repository) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  return valid ? { repository, tag, digest } : undefined;
}

function isRepository(value: string): boolean {
  const [first = "", ...rest] = value.split("/");
  const isDomain = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = isDomain ? rest : [first, ...rest];
  return (
    value.length <= 255 && (!isDomain || isRegistry(first)) && path.every((part) => PATH_PART.test(part))
  );
}

function isRegistry(value: string): boolean {
  const [host = "", port, ...more] = value.split(":");
  return more.length === 0 && isHostName(host) && (port === undefined || isPort(port));
}

/** A registry: host, with its port if that is not 443. */
export function registry(what: string) {
  return text(what, /^\S+$/, 262).refine(isRegistry, { error: what });
}

/** An image repository without tag or digest. */
export function imageRepository(what: string) {
  const expected = `${what} in lower case without tag or digest, such as registry.example.com/team/name`;
  return text(expected, /^\S+$/, 255).refine(isRepository, { error: expected });
}

/** An image by tag or digest; never a bare name, which would mean `latest`. */
export function imageReference(what: string) {
  const expected = `${what} with a tag other than latest or with a digest, such as node:24-slim or name@sha256:...`;
  return text(expected, /^\S+$/, 512).refine(
    (value) => {
      const { tag, digest } = referenceOf(value) ?? {};
      return tag === undefined ? digest !== undefined : tag !== "latest";
    },
    { error: expected },
  );
}

/**
 * An image whose tag begins with its version, `1.31.2`; a digest may follow.
 * @param before what the project writes before it, such as `v`
 */
export function versionedImage(what: string, before = "") {
  const expected = `${what} whose tag begins with its version, such as name:${before}1.31.2 or name:${before}1.31.2@sha256:...`;
  const pattern = new RegExp(`^${before}\\d+\\.\\d+([^\\d].*)?$`);
  return text(expected, /^\S+$/, 512).refine((value) => pattern.test(referenceOf(value)?.tag ?? ""), {
    error: expected,
  });
}
