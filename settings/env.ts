import { z } from "zod";
import { ifWrongType, rule, text } from "./fields";
import { byteLength } from "./names";

/** Options of Node.js: the program sets them for its own worker, whose heaps it divides, and for no other image. */
export const NODE_OPTIONS = "NODE_OPTIONS";

/** Prefixes and names that the program sets itself. */
const OWN_VARIABLES =
  /^(TEMPORAL_.*|CODEC_.*|CONNECT_.*|SHUTDOWN_.*|POD_.*|HEALTH_PORT|METRICS_BIND_ADDRESS|LOG_LEVEL|LOG_FAILURE_MESSAGES|MAX_CACHED_WORKFLOWS|ACTIVITY_SLOTS|WORKFLOW_TASK_SLOTS|ACTIVITY_POLLERS|WORKFLOW_TASK_POLLERS|OTEL_(EXPORTER_OTLP_(TRACES_)?(ENDPOINT|HEADERS|PROTOCOL)|TRACES_SAMPLER(_ARG)?|SDK_DISABLED))$/;

/** Whether the program sets a variable of this name in the pods of workers. */
export const isOwnVariable = (name: string): boolean => OWN_VARIABLES.test(name);

/** Words of a name behind which a secret stands. */
const SECRET_WORDS =
  /(^|_)(PASSWORDS?|PASSWD|PASSPHRASE|PASS|PWD|SECRET|TOKEN|CREDENTIALS?|APIKEY|PRIVATEKEY|(API|PRIVATE|ACCESS|SECRET|SIGNING|ENCRYPTION|MASTER|SHARED|AUTH|LICENSE)_KEY)\d*(_|$)/;
/** Last words of a name that only tells something about a secret, or where it is. */
const ABOUT =
  /_(ALGORITHM|ARN|AUDIENCE|BUDGET|COUNT|COST|DIR|DIRECTORY|DISABLED|DURATION|ENABLED|ENDPOINT|EXPIRY|EXPIRATION|FILE|FORMAT|HEADER|HOST|ID|INTERVAL|ISSUER|KIND|LENGTH|LIMIT|MAX|MIN|MODE|MS|NAME|NAMES|NAMESPACE|PATH|POLICY|PREFIX|PROVIDER|RATE|REF|REGION|REQUIRED|ROTATION|SCOPE|SCOPES|SECONDS|SERVICE|SIZE|STORE|SUFFIX|TIMEOUT|TTL|TYPE|URI|URL|VERSION)$/;
/** Names that well-known libraries read a path or a flag from. */
const KNOWN_PATHS =
  /^(GOOGLE_APPLICATION_CREDENTIALS|AWS_WEB_IDENTITY_TOKEN_FILE|AZURE_FEDERATED_TOKEN_FILE)$/;

/** Whether a variable of this name holds a secret, as far as names tell. */
export function looksSecret(name: string): boolean {
  return (
    SECRET_WORDS.test(name) && !ABOUT.test(name) && !/^(MAX|MIN|NUM)_/.test(name) && !KNOWN_PATHS.test(name)
  );
}

/** The API server takes 1 MiB in a ConfigMap; the rest is for the variables of the program. */
const ENVIRONMENT_BYTES = 1024 ** 2 - 64 * 1024;
const VALUE = "a text of at most 4096 characters without NUL (numbers and true/false in quotes)";

/** Name of an environment variable. */
export const variableName = text(
  "a name of upper-case letters, digits and _, at most 128 characters",
  /^[A-Z_][A-Z0-9_]*$/,
  128,
);

/** Environment variables of the workers, without secrets. */
export const environment = z
  .record(
    variableName,
    text(VALUE, /^[^\p{Cs}\0]*$/u, 4096),
    ifWrongType("a mapping of variable names to texts"),
  )
  .check(({ value, issues }) => {
    const bytes = byteLength(value);
    if (bytes > ENVIRONMENT_BYTES) {
      issues.push(
        rule(
          `has ${Math.ceil(bytes / 1024)} KiB, but a ConfigMap holds no more than ${ENVIRONMENT_BYTES / 1024} KiB beside the program's own variables; put large values into the image or a volume`,
          [],
        ),
      );
    }
    for (const [name, text] of Object.entries(value)) {
      if (isOwnVariable(name)) {
        issues.push(rule("is set by this program from other settings; remove it here", [name]));
      } else if (looksSecret(name) && !/^(true|false|)$/i.test(text)) {
        issues.push(
          rule(
            "looks like a secret, but env is a ConfigMap, readable in the cluster and in the state; set it under secrets, and if this is none, choose a name that says so (..._URL, ..._NAME, ..._FILE)",
            [name],
          ),
        );
      }
    }
  });
