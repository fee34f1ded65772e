/** Where a connection that is secured by a public authority looks for it. */
export const systemCertificates = (): Record<string, string> =>
  Object.fromEntries(
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
