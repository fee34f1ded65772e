import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { freePort } from "./apiServer";

/** Where Debian and Ubuntu put the programs of each version. */
const PACKAGES = "/usr/lib/postgresql";

/** Programs of the newest Postgres of this machine; undefined if there is none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined;
  const versions = readdirSync(PACKAGES).sort((one, other) => Number(one) - Number(other));
  return versions
    .map((version) => join(PACKAGES, version, "bin"))
    .findLast((folder) => existsSync(join(folder, "initdb")));
}

/** A Postgres of its own in a temporary folder, reached by a socket in it or, with TLS, on the loopback address. */
export class PostgresServer {
  readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-postgres-"));
  readonly user = "temporal";
  /** The one user who needs a password. */
  readonly loginUser = "temporal_login";

  /** Port on 127.0.0.1 that takes TLS and passwords alone. */
  port = 0;

  constructor(private readonly programs: string) {}

  async start(): Promise<void> {
    this.port = await freePort();
    const certificate = join(this.folder, "server.crt");
    const key = join(this.folder, "server.key");
    await execa("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1"],
      ...["-keyout", key, "-out", certificate],
    ]);
    if (userInfo().uid === 0) {
      const { stdout } = await execa("id", ["--user", "postgres"]);
      for (const path of [this.folder, certificate, key]) chownSync(path, Number(stdout), Number(stdout));
    }
    await this.run("initdb", ["--username", this.user, "--auth", "trust", "--no-sync"]);
    const rules = join(this.folder, "data", "pg_hba.conf");
    const own = [`local all ${this.loginUser} scram-sha-256`, "hostssl all all 127.0.0.1/32 scram-sha-256"];
    const socketOnly = readFileSync(rules, "utf8").replace(/^host.*$/gm, "");
    writeFileSync(rules, [...own, socketOnly].join("\n"));
    const options = {
      listen_addresses: "127.0.0.1",
      port: this.port,
      fsync: "off",
      ssl: "on",
      ssl_cert_file: certificate,
      ssl_key_file: key,
      unix_socket_directories: this.folder,
    };
    const flags = Object.entries(options).map(([name, value]) => `-c ${name}=${value}`);
    await this.control("start", ["--options", flags.join(" ")]);
  }

  async stop(): Promise<void> {
    await this.control("stop", ["--mode", "immediate"]);
    rmSync(this.folder, { recursive: true });
  }

  /** Environment by which `psql` finds it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      PATH: `${this.programs}:${process.env["PATH"] ?? ""}`,
      PGHOST: this.folder,
      PGPORT: String(this.port),
      PGUSER: this.user,
      PGPASSWORD: "",
      PGSSLMODE: "disable",
      HOME: this.folder,
    };
  }

  /** Runs SQL as the owner of everything; rows one a line. */
  async sql(database: string, statement: string): Promise<string> {
    const options = ["--set", "ON_ERROR_STOP=1", "--tuples-only", "--no-align"];
    const { stdout } = await execa("psql", [...options, "--dbname", database, "--command", statement], {
      env: this.environment,
    });
    return stdout;
  }

  private control(action: string, args: readonly string[]): Promise<void> {
    return this.run("pg_ctl", [action, "--wait", "--log", join(this.folder, "log"), ...args]);
  }

  /** Runs a program on the data; as root in the name of Debian's user, as Postgres refuses root. */
  private async run(program: string, args: readonly string[]): Promise<void> {
    const command = [join(this.programs, program), "--pgdata", join(this.folder, "data"), ...args];
    const asUser =
      userInfo().uid === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
    const [file = "", ...rest] = [...asUser, ...command];
    await execa(file, rest, { cwd: this.folder, stdio: "ignore" });
  }
}
