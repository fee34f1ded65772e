import { z } from "zod";
import { ifWrongType, text } from "./fields";
import { brokenPromise } from "./postgresParameters";

/**
 * Attributes of Temporal's connection string. The chart's schema job writes them into a query string without escaping,
 * so that values have no character that means something there.
 */
export const connectAttributes = z.record(
  text("the name of a connection attribute: lower-case letters, digits, _ and .", /^[a-z][a-z0-9_.]*$/, 63),
  text("a text of letters, digits and -_.,:/@ (numbers in quotes)", /^[\w.,:/@-]+$/, 200),
  ifWrongType("a mapping of attribute names to texts"),
);

/** Attributes that say where to, as whom, and how safely: other settings do. */
const OWN_ATTRIBUTES =
  /^(host|hostaddr|port|dbname|database|user|password|passfile|require_auth|service|servicefile|options|ssl(?!negotiation$).*|krb.*|gss.*)$/;

/** What is wrong with an attribute by what it does. */
export function attributeProblem(name: string, value: string): string | undefined {
  if (OWN_ATTRIBUTES.test(name)) {
    return "is set from host, port, user, password, ca, clientCertificateSecret and verifyTls; remove it";
  }
  if (name === "target_session_attrs" && !/^(any|read-write|primary)$/.test(value)) {
    return "must be any, read-write or primary: Temporal writes; change it";
  }
  return brokenPromise(name, value);
}

/** Attributes of Temporal's driver that are none of the server's (`pgconn` and `pgx.ParseConfig` of pgx v5). */
const DRIVER_ATTRIBUTES =
  /^(default_query_exec_mode|statement_cache_capacity|description_cache_capacity|(min|max)_protocol_version)$/;

/** Variables by which libpq takes attributes that are not parameters of the session. */
const LIBPQ_VARIABLES: Readonly<Record<string, string>> = {
  application_name: "PGAPPNAME",
  channel_binding: "PGCHANNELBINDING",
  connect_timeout: "PGCONNECT_TIMEOUT",
  sslnegotiation: "PGSSLNEGOTIATION",
  target_session_attrs: "PGTARGETSESSIONATTRS",
};

/** Environment that gives the programs of Postgres the attributes of Temporal's connections. */
export function libpqEnvironment(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const options: string[] = [];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const variable = LIBPQ_VARIABLES[name];
    if (variable !== undefined) environment[variable] = value;
    else if (!DRIVER_ATTRIBUTES.test(name)) options.push(`-c ${name}=${value}`);
  }
  return { ...environment, ...(options.length === 0 ? {} : { PGOPTIONS: options.join(" ") }) };
}
