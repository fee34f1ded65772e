import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { lastLines } from "../../common/failure";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { withFlags } from "../../local/cluster/native/controlPlane";
import { eventually } from "./eventually";

/** What a command ended with. */
export interface Answer {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** Somebody whom the API server knows by a token. */
export interface ApiUser {
  readonly name: string;
  readonly groups?: readonly string[];
}

/** May do everything. */
export const ADMINISTRATOR: ApiUser = { name: "administrator", groups: ["system:masters"] };

/** A real API server with its store and nothing else: authorization and admission, but no pod ever runs. */
export class ApiServer {
  readonly folder = mkdtempSync(join(tmpdir(), "temporal-stack-api-"));
  /** The key that signs tokens of accounts. */
  readonly accountKey = join(this.folder, "account.key");
  private readonly running: { readonly ended: Promise<never>; readonly end: () => Promise<unknown> }[] = [];
  /** URL at which it listens. */
  address = "";

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
      "service-account-signing-key-file": server.accountKey,
      // No controller makes any.
      "disable-admission-plugins": "ServiceAccount",
    });
    server.address = `https://127.0.0.1:${port}`;
    await server.waitUntil("the API server is ready", async () => {
      const { output } = await server.kubectl(ADMINISTRATOR, ["get", "--raw", "/readyz"]);
      return output.trim() === "ok";
    });
    return server;
  }

  /** Runs kubectl as somebody; never throws. */
  async kubectl({ name }: ApiUser, args: readonly string[], input?: unknown): Promise<Answer> {
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

  /** Serves resource types: a file of definitions, or a folder of such. */
  async addTypes(path: string): Promise<void> {
    for (const args of [
      ["apply", "--server-side", "--filename", path],
      ["wait", "--for=condition=Established", "--timeout=60s", "--filename", path],
    ]) {
      const { exitCode, output } = await this.kubectl(ADMINISTRATOR, args);
      if (exitCode !== 0) throw new Error(output);
    }
  }

  /** Writes a kubeconfig of somebody's and returns its path. */
  kubeconfig({ name }: ApiUser): string {
    const authority = readFileSync(join(this.folder, "certificates/apiserver.crt")).toString("base64");
    const context = `test-${new URL(this.address).port}`;
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      contexts: [{ name: context, context: { cluster: "test", user: name } }],
      clusters: [
        { name: "test", cluster: { server: this.address, "certificate-authority-data": authority } },
      ],
      users: [{ name, user: { token: name } }],
    };
    return this.write(`${name}.kubeconfig`, JSON.stringify(config));
  }

  /** Runs a program beside the API server until {@link stop}. */
  run(program: string, flags: Readonly<Record<string, string | number | boolean>>): void {
    const [command, ...args] = withFlags(program, flags);
    const child = execa(command, args, {
      ...{ stdin: "ignore", stdout: "ignore", cwd: this.folder },
      ...{ forceKillAfterDelay: 10_000, reject: false },
    });
    this.running.push({
      ended: child.then(({ stderr }) => {
        throw new Error(`${command} has ended:\n${lastLines(stderr).join("\n")}`);
      }),
      end: () => {
        child.kill();
        return child;
      },
    });
    this.running.at(-1)?.ended.catch(() => undefined);
  }

  /** Waits until something holds; stops everything when it does not, or when a program ends before. */
  async waitUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
    try {
      await Promise.race([eventually(what, holds), ...this.running.map(({ ended }) => ended)]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends all processes and forgets everything. */
  async stop(): Promise<void> {
    for (const { end } of this.running.reverse()) await end();
    rmSync(this.folder, { recursive: true });
  }

  /** Writes a file of this server's folder and returns its path. */
  write(file: string, text: string): string {
    const path = join(this.folder, file);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }
}

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
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
