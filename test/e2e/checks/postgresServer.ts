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

/** A Postgres of its own in a temporary folder, reached by a socket in it. */
export class PostgresServer {
  readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-postgres-"));
  readonly user = "temporal";
  /** The one user who needs a password. */
  readonly loginUser = "temporal_login";

  constructor(private readonly programs: string) {}

  async start(): Promise<void> {
    if (userInfo().uid === 0) {
      const { stdout } = await execa("id", ["--user", "postgres"]);
      chownSync(this.folder, Number(stdout), Number(stdout));
    }
    await this.run("initdb", ["--username", this.user, "--auth", "trust", "--no-sync"]);
    const rules = join(this.folder, "data", "pg_hba.conf");
    writeFileSync(rules, `local all ${this.loginUser} scram-sha-256\n${readFileSync(rules, "utf8")}`);
    await this.control("start", ["--options", `-c listen_addresses= -c fsync=off -k ${this.folder}`]);
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
      PGUSER: this.user,
      PGPASSWORD: "",
      PGSSLMODE: "disable",
      HOME: this.folder,
    };
  }

  async sql(database: string, statement: string): Promise<void> {
    await execa("psql", ["--set", "ON_ERROR_STOP=1", "--dbname", database, "--command", statement], {
      env: this.environment,
    });
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
