import { z } from "zod";
import { ifWrongType, rule, text } from "./fields";
import { bytesOf } from "./quantity";

/** Parameters of postgresql.conf. */
export const parameters = z.record(
  text(
    "a parameter name in lower case, with at most one dot, at most 100 characters",
    /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/,
    100,
  ),
  text("one line of at most 1000 printable characters (numbers in quotes)", /^[^\p{C}\p{Zl}\p{Zp}]*$/u, 1000),
  ifWrongType("a mapping of parameter names to texts"),
);

/**
 * What the operator fixes or blocks (`FixedConfigurationParameters` in `pkg/postgres/configuration.go` of
 * CloudNativePG 1.30), and what it writes itself.
 */
const OPERATORS = new RegExp(
  `^(${[
    "allow_system_table_mods|bonjour(_name)?|cluster_name|config_file|data_(directory|sync_retry)|event_source",
    "external_pid_file|hba_file|hot_standby|ident_file|jit_provider|listen_addresses|logging_collector|port",
    "primary_(conninfo|slot_name)|promote_trigger_file|recovery_.*|restore_command|restart_after_crash",
    "log_(destination|directory|file_mode|filename|rotation_.*|truncate_on_rotation)|syslog_.*|stats_temp_directory",
    "archive_(mode|command|library|cleanup_command)|ssl(_.*)?|synchron(ous_standby_names|ized_standby_slots)",
    "temp_tablespaces|unix_socket_.*|pg_failover_slots\\.(primary_dsn|standby_slot_names)|cnpg\\..*|allow_alter_system",
    // The file's own directives, and what loads code.
    "include(_dir|_if_exists)?|(shared|session|local)_preload_libraries|dynamic_library_path|extension_control_path",
  ].join("|")})$`,
);

/** Parameters that this program derives from other settings. */
const DERIVED: Readonly<Record<string, string>> = {
  max_connections: "postgres.maxConnections",
  shared_buffers: "postgres.resources.requests.memory",
  superuser_reserved_connections: "postgres.maxConnections",
  reserved_connections: "postgres.maxConnections",
};

/** Postgres' own default is the least for nine instances. */
const TEN_OR_MORE = /^[1-9]\d{1,4}$/;

/** Parameters of which some values undo what the stack promises: the values that keep it, and the promise. */
const PROMISES: Readonly<Record<string, { readonly allowed: RegExp; readonly promise: string }>> = {
  ...kept("no acknowledged commit is lost", {
    fsync: boolean("on"),
    full_page_writes: boolean("on"),
    synchronous_commit: /^(on|true|yes|1|remote_apply)$/i,
    wal_log_hints: boolean("on"),
    wal_sync_method: /^(fdatasync|fsync|open_datasync|open_sync)$/i,
  }),
  ...kept("replicas and backups follow the primary", {
    wal_level: /^(replica|logical)$/i,
    max_wal_senders: TEN_OR_MORE,
    max_replication_slots: TEN_OR_MORE,
    archive_timeout: /^(?!0+\D*$)\d+ *(s|min|h)?$/,
    hot_standby_feedback: boolean("(on|off)"),
    sync_replication_slots: boolean("(on|off)"),
  }),
  ...kept("damage is reported, not hidden", {
    zero_damaged_pages: boolean("off"),
    ignore_checksum_failure: boolean("off"),
    ignore_invalid_pages: boolean("off"),
    ignore_system_indexes: boolean("off"),
  }),
  ...kept("dead rows go, and transaction ids do not run out", {
    autovacuum: boolean("on"),
    track_counts: boolean("on"),
  }),
  ...kept("passwords are stored and sent as SCRAM", {
    password_encryption: /^scram-sha-256$/i,
    db_user_namespace: boolean("off"),
  }),
  ...kept("Temporal can write, and finds its tables", {
    default_transaction_read_only: boolean("off"),
    transaction_read_only: boolean("off"),
    default_transaction_isolation: /^read committed$/i,
    session_replication_role: /^origin$/i,
    search_path: /^"\$user", ?public$/,
    default_tablespace: /^(pg_default)?$/,
    huge_pages: /^(off|try|false|no|0)$/i,
  }),
};

function kept(promise: string, allowed: Readonly<Record<string, RegExp>>) {
  return Object.fromEntries(
    Object.entries(allowed).map(([name, pattern]) => [name, { allowed: pattern, promise }]),
  );
}

/** The spellings of a boolean. */
function boolean(value: "on" | "off" | "(on|off)"): RegExp {
  const spellings = {
    on: "on|true|yes|1",
    off: "off|false|no|0",
    "(on|off)": "on|true|yes|1|off|false|no|0",
  };
  return new RegExp(`^(${spellings[value]})$`, "i");
}

/** Parameters that bound the write-ahead log; a number without unit is in megabytes. */
const LOG_SIZES = ["min_wal_size", "max_wal_size", "max_slot_wal_keep_size", "wal_keep_size"] as const;
const UNITS = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;
const DEFAULT_MIN_WAL_BYTES = 80 * UNITS.MB;
const LEAST_MAX_WAL_BYTES = 128 * UNITS.MB;

interface ParameterContext {
  readonly parameters: Readonly<Record<string, string>>;
  readonly storage: { readonly size: string };
  readonly walStorage?: { readonly size: string } | undefined;
}

/** Bytes of a volume that the write-ahead log may have: its own, or a quarter of the data's. */
export function logVolumeBytes({ storage, walStorage }: Omit<ParameterContext, "parameters">): number {
  return walStorage === undefined ? (bytesOf(storage.size) ?? 0) / 4 : (bytesOf(walStorage.size) ?? 0);
}

/** Bytes at which a checkpoint is forced, by default. */
export function maxWalBytes(settings: Omit<ParameterContext, "parameters">): number {
  return Math.max(logVolumeBytes(settings) / 4, LEAST_MAX_WAL_BYTES);
}

/** What is wrong with parameters by what they do. */
export function parameterProblems(settings: ParameterContext): ReturnType<typeof rule>[] {
  const problems = Object.entries(settings.parameters).flatMap(([name, value]) => {
    const problem = problemOf(name, value);
    return problem === undefined ? [] : [rule(problem, ["parameters", name])];
  });
  return [...problems, ...logSizeProblems(settings)];
}

function problemOf(name: string, value: string): string | undefined {
  if (OPERATORS.test(name))
    return "belongs to the CloudNativePG operator, which refuses or overrides it; remove it";
  const source = DERIVED[name];
  if (source !== undefined) return `follows from ${source}; set that and remove this`;
  return brokenPromise(name, value);
}

/** What a parameter's value would undo. */
export function brokenPromise(name: string, value: string): string | undefined {
  const promise = PROMISES[name];
  if (promise === undefined || promise.allowed.test(value.trim())) return undefined;
  return `${JSON.stringify(value)} breaks a promise of this stack: ${promise.promise}; remove it`;
}

function logSizeProblems(settings: ParameterContext): ReturnType<typeof rule>[] {
  const volume = settings.walStorage ?? settings.storage;
  const room = bytesOf(volume.size) ?? 0;
  const sizes = new Map<string, number>();
  const problems: ReturnType<typeof rule>[] = [];
  for (const name of LOG_SIZES) {
    const value = settings.parameters[name];
    if (value === undefined) continue;
    const size = logBytes(value);
    if (size === undefined) {
      problems.push(rule(`must be a size such as 2GB, got ${JSON.stringify(value)}`, ["parameters", name]));
    } else if (size >= room) {
      problems.push(
        rule(`${value} would let the write-ahead log fill its volume (${volume.size}); lower it`, [
          "parameters",
          name,
        ]),
      );
    } else {
      sizes.set(name, size);
    }
  }
  const minimum = sizes.get("min_wal_size") ?? DEFAULT_MIN_WAL_BYTES;
  if (problems.length === 0 && minimum >= (sizes.get("max_wal_size") ?? maxWalBytes(settings))) {
    const culprit = sizes.has("min_wal_size") ? "min_wal_size" : "max_wal_size";
    problems.push(
      rule("min_wal_size (80MB by default) must be below max_wal_size; change one of them", [
        "parameters",
        culprit,
      ]),
    );
  }
  return problems;
}

/** Bytes of a size; -1 means without limit. */
function logBytes(value: string): number | undefined {
  if (/^-1$/.test(value.trim())) return Number.POSITIVE_INFINITY;
  const [, count, unit = "MB"] = /^(\d{1,12}) *(B|kB|MB|GB|TB)?$/.exec(value.trim()) ?? [];
  const factor = Object.entries(UNITS).find(([name]) => name === unit)?.[1];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}
