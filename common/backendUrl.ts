/** A backend's URL without its login: `postgres://user:password@host/db?password=…` may hold a password. */
export const withoutLogin = (url: string): string => url.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");

/**
 * A text of the CLI without the login of a backend: the CLI repeats the whole URL where it cannot open it.
 *
 * @param backend URL of this shell's backend; undefined: it is not in the environment
 */
export function withoutLogins(text: string, backend = process.env["PULUMI_BACKEND_URL"]): string {
  // As it stands first: a password that was not encoded makes it something else than a URL.
  const known =
    backend === undefined || !/[@?]/.test(backend)
      ? text
      : text.replaceAll(backend, withoutAnyLogin(backend));
  return known
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'/@]*@/gi, "$1****@")
    .replace(/([?&][a-z]*password=)[^\s"'&]*/gi, "$1****");
}

/** Everything up to the last @ may be part of a password. */
const withoutAnyLogin = (url: string): string => url.replace(/\/\/.*@/, "//****@").replace(/\?.*$/, "");
