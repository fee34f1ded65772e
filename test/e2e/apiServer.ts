import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { eventually } from "./eventually";
import type { Finished } from "./support";

/** Somebody whom the API server knows by a token. */
export interface ApiUser {
  readonly name: string;
  readonly groups?: readonly string[];
}

/** May do everything. */
export const ADMINISTRATOR: ApiUser = { name: "administrator", groups: ["system:masters"] };

/** A real API server with its store and nothing else: authorization and admission, but no pod ever runs. */
export class ApiServer {
  private readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-api-"));
  private readonly running: (() => Promise<unknown>)[] = [];
  private address = "";

  private constructor(users: readonly ApiUser[]) {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    this.write("account.key", privateKey);
    this.write("account.pub", publicKey);
    this.write(
      "tokens.csv",
      users.map(({ name, groups = [] }) => `${name},${name},${name},"${groups.join(",")}"\n`).join(""),
    );
  }

  /** Starts one that knows these users beside {@link ADMINISTRATOR}. */
  static async start(...users: ApiUser[]): Promise<ApiServer> {
    const server = new ApiServer([ADMINISTRATOR, ...users]);
    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    const etcd = `http://127.0.0.1:${client}`;
    server.run("etcd", {
      "data-dir": join(server.folder, "etcd"),
      "listen-client-urls": etcd,
      "advertise-client-urls": etcd,
      "listen-peer-urls": `http://127.0.0.1:${peer}`,
      "unsafe-no-fsync": true,
    });
    server.run(commandPath(programs.kubernetes, "kube-apiserver"), {
      "etcd-servers": etcd,
      "secure-port": port,
      "bind-address": "127.0.0.1",
      "cert-dir": join(server.folder, "certificates"),
      "token-auth-file": join(server.folder, "tokens.csv"),
      "authorization-mode": "RBAC",
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": join(server.folder, "account.pub"),
      "service-account-signing-key-file": join(server.folder, "account.key"),
      // No controller makes any.
      "disable-admission-plugins": "ServiceAccount",
    });
    server.address = `https://127.0.0.1:${port}`;
    await eventually("the API server is ready", async () => {
      const { output } = await server.kubectl(ADMINISTRATOR, ["get", "--raw", "/readyz"]);
      return output.trim() === "ok";
    }).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  /** Runs kubectl as somebody; never throws. */
  async kubectl({ name }: ApiUser, args: readonly string[], input?: unknown): Promise<Finished> {
    const { exitCode, all } = await execa(
      commandPath(programs.kubernetes, "kubectl"),
      [
        ...["--server", this.address, "--token", name, "--insecure-skip-tls-verify"],
        ...["--kubeconfig", "/dev/null", "--cache-dir", join(this.folder, "cache"), ...args],
      ],
      { reject: false, all: true, input: input === undefined ? "" : JSON.stringify(input) },
    );
    return { exitCode, output: all };
  }

  /** Writes a kubeconfig of somebody's and returns its path. */
  kubeconfig({ name }: ApiUser): string {
    const context = `test-${new URL(this.address).port}`;
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      contexts: [{ name: context, context: { cluster: "test", user: name } }],
      clusters: [{ name: "test", cluster: { server: this.address, "insecure-skip-tls-verify": true } }],
      users: [{ name, user: { token: name } }],
    };
    this.write(`${name}.kubeconfig`, JSON.stringify(config));
    return join(this.folder, `${name}.kubeconfig`);
  }

  /** Ends both processes and forgets everything. */
  async stop(): Promise<void> {
    for (const end of this.running.reverse()) await end();
    rmSync(this.folder, { recursive: true });
  }

  private run(program: string, flags: Readonly<Record<string, string | number | boolean>>): void {
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${String(value)}`);
    const child = execa(program, args, {
      stdio: "ignore",
      cwd: this.folder,
      forceKillAfterDelay: 10_000,
      reject: false,
    });
    this.running.push(() => {
      child.kill();
      return child;
    });
  }

  private write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text, { mode: 0o600 });
  }
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer().on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        found(port);
      });
    });
  });
}
