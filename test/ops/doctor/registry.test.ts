import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { imageFindings } from "../../../ops/doctor/checks/images";
import { lookUpImage, placeOf } from "../../../ops/doctor/registry";
import { verdicts } from "./cases";

const DIGEST = `sha256:${"a".repeat(64)}`;
const LOGIN = Buffer.from("ann:secret").toString("base64");

/** A registry that wants a token, and gives one to whoever logs in; `public/…` is for everybody. */
function registry(): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "", `http://${request.headers.host ?? ""}`);
    const { authorization } = request.headers;
    const scope = url.searchParams.get("scope");
    if (url.pathname === "/token") {
      const mayPull = authorization === `Basic ${LOGIN}` || scope === "repository:public/worker:pull";
      response.writeHead(mayPull ? 200 : 401, { "content-type": "application/json" });
      response.end(mayPull ? JSON.stringify({ token: scope }) : "{}");
    } else if (authorization === undefined) {
      const realm = `Bearer realm="http://${request.headers.host ?? ""}/token",service="test"`;
      response.writeHead(401, { "www-authenticate": realm }).end();
    } else {
      response.writeHead(url.pathname.endsWith(DIGEST) || url.pathname === "/v2/" ? 200 : 404).end();
    }
  });
}

describe("a registry", () => {
  const server = registry();
  let host: string;
  before((done) => {
    server.listen(0, "127.0.0.1", () => {
      host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      done();
    });
  });
  after((done) => {
    server.close(done);
  });

  const ask = (path: string, digest: string | undefined, login?: string) =>
    lookUpImage(placeOf(`${host}/${path}`, digest), login);

  it("has a public image, by a token for nobody", async () => {
    assert.deepEqual(await ask("public/worker", DIGEST), { found: "image" });
  });
  it("has no such image", async () => {
    assert.deepEqual(await ask("public/worker", DIGEST.replace("a", "b")), { found: "none" });
  });
  it("tells a private image to who logs in only", async () => {
    assert.deepEqual(await ask("private/worker", DIGEST), { found: "refused" });
    assert.deepEqual(await ask("private/worker", DIGEST, LOGIN), { found: "image" });
    assert.deepEqual(await ask("private/worker", DIGEST, "wrong"), { found: "refused" });
  });
  it("answers, before there is an image", async () => {
    assert.deepEqual(await ask("private/worker", undefined), { found: "registry" });
  });
  it("is not there", async () => {
    assert.equal((await lookUpImage(placeOf("127.0.0.1:1/worker", DIGEST), undefined)).found, "unknown");
  });
  it("is Docker Hub where no host is named", () => {
    assert.deepEqual(placeOf("busybox"), {
      registry: "docker.io",
      path: "library/busybox",
      digest: undefined,
    });
    assert.equal(placeOf("temporalio/server").path, "temporalio/server");
  });
});

describe("what the doctor says of the worker image", () => {
  const place = placeOf("r.example.com/worker", DIGEST);
  const none = { inSettings: false };
  const secret = { secret: "pull", inSettings: false, auth: LOGIN };
  verdicts({
    "it is there": [
      () => imageFindings("images.billing", place, secret, { found: "image" }),
      "ok",
      /with the login of Secret pull/,
    ],
    "it will be built": [
      () => imageFindings("images.billing", place, none, { found: "registry" }),
      "ok",
      /builds and pushes/,
    ],
    "it is not there": [
      () => imageFindings("images.billing", place, none, { found: "none" }),
      "failed",
      /has no r\.example\.com\/worker@[^]*temporal-stack:images\.billing/,
    ],
    "the login of the cluster is refused": [
      () => imageFindings("images.billing", place, secret, { found: "refused" }),
      "failed",
      /Secret pull/,
    ],
    "nobody has a login": [
      () => imageFindings("images.billing", place, none, { found: "refused" }),
      "warning",
      /name none/,
    ],
    "only the settings have a login": [
      () => imageFindings("images.billing", place, { inSettings: true }, { found: "refused" }),
      "warning",
      /was not tried/,
    ],
    "nobody answers": [
      () => imageFindings("images.billing", place, none, { found: "unknown", reason: "timeout" }),
      "not checked",
      /cannot be asked from here: timeout/,
    ],
  });
});
