import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { clientConfig, findClusterAccess } from "../../settings/kubeconfig";

describe("kubeconfig", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "temporal-stack-kubeconfig-"))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, content: object) => {
    const file = join(folder, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  /** A kubeconfig with contexts; each cluster is at an address with the file's name. */
  const config = (file: string, current: string, ...names: string[]) => ({
    apiVersion: "v1",
    kind: "Config",
    "current-context": current,
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    clusters: names.map((name) => ({ name, cluster: { server: `https://${file}.example.com` } })),
    users: names.map((name) => ({ name, user: { token: file } })),
  });
  const find = (variable: string | undefined, context?: string, inPod = false) =>
    findClusterAccess({ variable, home: folder, inPod }, context);
  const contextOf = (variable: string | undefined, context?: string) => {
    const access = find(variable, context);
    return access.from === "kubeconfig" ? access.context : access;
  };
  const problemOf = (variable: string | undefined, context?: string, inPod = false) => {
    const access = find(variable, context, inPod);
    return access.from === "nowhere" ? access.problem : "";
  };
  const clientOf = async (variable: string, context?: string) => {
    const access = find(variable, context);
    assert.ok(access.from !== "nowhere");
    return clientConfig(access);
  };

  it("is the file that KUBECONFIG names, or the one in the home directory, with its current context", () => {
    write(".kube/config", config("home", "a", "a", "b"));
    assert.equal(contextOf(undefined), "a");
    assert.equal(contextOf(""), "a");
    assert.equal(contextOf("", "b"), "b");
    const file = write("other", config("other", "c", "c"));
    assert.equal(contextOf(file), "c");
    assert.equal(contextOf(relative(process.cwd(), file)), "c");
  });

  it("may be several files: the first that names something wins, and those that are not there do not matter", async () => {
    const first = write("first", config("first", "", "a"));
    const second = write("second", config("second", "b", "a", "b"));
    const third = write("third", config("third", "a", "c"));
    const variable = [first, join(folder, "none"), second, third].join(delimiter);
    assert.equal(contextOf(variable), "b");
    const server = async (context: string) => (await clientOf(variable, context)).getCurrentCluster()?.server;
    assert.equal(await server("a"), "https://first.example.com");
    assert.equal(await server("b"), "https://second.example.com");
    assert.equal(await server("c"), "https://third.example.com");
  });

  it("has paths that are relative to its folder, also to certificates, tokens and exec plugins", async () => {
    const file = write("sub/config", {
      ...config("relative", "a", "a", "b", "c"),
      clusters: [{ name: "a", cluster: { server: "https://a", "certificate-authority": "ca.crt" } }],
      users: [
        { name: "a", user: { "client-certificate": "a.crt", "client-key": "/keys/a.key" } },
        { name: "b", user: { exec: { apiVersion: "v1", command: "bin/login", args: ["./x"] } } },
        { name: "c", user: { exec: { apiVersion: "v1", command: "aws" } } },
        { name: "d", user: { tokenFile: "token" } },
      ],
    });
    const client = await clientOf(file);
    const user = (name: string) => client.getUser(name);
    assert.equal(client.getCurrentCluster()?.caFile, join(folder, "sub/ca.crt"));
    assert.equal(user("a")?.certFile, join(folder, "sub/a.crt"));
    assert.equal(user("a")?.keyFile, "/keys/a.key");
    const plugin = (command: string) => ({ apiVersion: "v1", command });
    assert.deepEqual(user("b")?.exec, { ...plugin(join(folder, "sub/bin/login")), args: ["./x"] });
    assert.deepEqual(user("c")?.exec, plugin("aws"));
    assert.deepEqual(user("d")?.authProvider, {
      name: "tokenFile",
      config: { tokenFile: join(folder, "sub/token") },
    });
  });

  it("is not needed in a pod, unless a context is named", () => {
    const none = join(folder, "none");
    assert.deepEqual(find(none, undefined, true), { from: "serviceAccount" });
    assert.match(problemOf(none, "a", true), /kubernetes\.context names "a", but there is no kubeconfig/);
    const file = write("config", config("config", "a", "a"));
    assert.equal(find(file, undefined, true).from, "kubeconfig");
  });

  it("says which file, what is wrong and what to do", () => {
    const none = join(folder, "none");
    assert.match(problemOf(none), /no kubeconfig at .*none: set KUBECONFIG .*npm run up/);
    assert.match(problemOf(undefined), /no kubeconfig at .*\.kube.config/);
    const file = write("config", config("config", "gone", "a", "b"));
    assert.match(problemOf(file, "c"), /kubernetes\.context names "c".*there are: a, b/);
    assert.match(problemOf(file), /current context "gone", which is not in it; there are: a, b/);
    assert.match(
      problemOf(write("config", config("config", "", "a"))),
      /no current context: set temporal-stack:kubernetes\.context.*use-context/,
    );
    writeFileSync(file, "{");
    assert.match(problemOf(file), /is not a kubeconfig/);
    writeFileSync(file, "users: [{ name: a, user: { token: hunter2 } }]");
    assert.match(problemOf(file), /is not a kubeconfig/);
    assert.doesNotMatch(problemOf(file), /hunter2/);
  });
});
