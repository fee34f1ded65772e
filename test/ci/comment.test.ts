import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describeFailure } from "../../common/failure";
import { commentBody, MARKER } from "../../ci/commentBody";
import { GitHub } from "../../ci/github";
import { PROJECT_ROOT } from "../program/stack";

const content = { commit: "0123456789abcdef", runUrl: "https://github.example/run/1" };

describe("comment on a pull request", () => {
  it("says of every stack how its preview ended", () => {
    const ended = [0, 2, 3, 1].map((exitCode) => ({ stack: `s${exitCode}`, exitCode, report: "text" }));
    const body = commentBody({
      ...content,
      previews: [...ended, { stack: "gone" }, { stack: "prod", pending: true }],
    });
    assert.ok(body.startsWith(`${MARKER}\n`));
    for (const row of [
      "| s0 | no changes |",
      "| s2 | changes, see below |",
      "| s3 | **refused** by a guard or a policy |",
      "| s1 | **failed**: the log of the run says why |",
      "| gone | **failed**: the log of the run says why |",
      "| prod | waits for an approval |",
    ]) {
      assert.ok(body.includes(row), row);
    }
    assert.equal(body.match(/<details>/g)?.length, 4);
  });

  it("keeps within what GitHub takes, says what it cut, and leaves nothing open", () => {
    const long = [
      "# Report",
      "<details><summary>diff</summary>",
      "",
      "````diff",
      ...Array<string>(9000).fill("+ line"),
    ];
    const previews = [
      { stack: "dev", exitCode: 2, report: "short" },
      { stack: "prod", exitCode: 2, report: long.join("\n") },
      { stack: "test", exitCode: 2, report: long.join("\n") },
    ];
    const body = commentBody({ ...content, previews });
    assert.ok(body.length <= 65_536 && body.length > 60_000, String(body.length));
    assert.equal(body.match(/\*\*Cut here\*\*/g)?.length, 2);
    assert.equal(body.match(/^````/gm)?.length, 4);
    assert.equal(body.match(/<details/g)?.length, body.match(/<\/details>/g)?.length);
    assert.ok(body.includes("\n\nshort\n\n"));
  });
});

describe("npm run ci:comment", () => {
  interface Comment {
    readonly id: number;
    body: string;
    readonly user: { readonly type: string };
  }
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-comment-"));
  const comments: Comment[] = [];
  const authorizations = new Set<string | undefined>();
  let refuse = false;

  /** Stands for GitHub: keeps comments, pages them, and changes them by id. */
  const server = createServer((request, response) => {
    authorizations.add(request.headers.authorization);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const body = text === "" ? "" : String((JSON.parse(text) as { body: unknown }).body);
      const id = /^\/repos\/owner\/name\/issues\/comments\/(\d+)$/.exec(pathname)?.[1];
      if (refuse) answer(403, { message: "Resource not accessible by integration" });
      else if (request.method === "PATCH" && id !== undefined) {
        const comment = comments.find((candidate) => candidate.id === Number(id));
        if (comment !== undefined) comment.body = body;
        answer(comment === undefined ? 404 : 200, comment ?? {});
      } else if (pathname !== "/repos/owner/name/issues/7/comments") answer(404, {});
      else if (request.method === "POST") {
        const comment = { id: comments.length + 1, body, user: { type: "Bot" } };
        comments.push(comment);
        answer(201, comment);
      } else {
        const size = Number(searchParams.get("per_page"));
        const first = (Number(searchParams.get("page")) - 1) * size;
        answer(200, comments.slice(first, first + size));
      }
    });
  }).listen(0, "127.0.0.1");

  const environment = () => ({
    GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    GITHUB_REPOSITORY: "owner/name",
    GITHUB_RUN_ID: "1",
    GITHUB_TOKEN: "token-of-the-job",
  });
  const github = () => GitHub.fromEnvironment(environment());
  const run = (...args: string[]) =>
    execa(
      process.execPath,
      [
        ...["--require", "sucrase/register/ts", "ci/comment.ts"],
        ...["--pull-request", "7", "--commit", "abcdef", "--reports", folder, ...args],
      ],
      { cwd: PROJECT_ROOT, reject: false, env: environment() },
    );

  before(async () => {
    if (!server.listening) await once(server, "listening");
    writeFileSync(join(folder, "dev.json"), JSON.stringify({ stack: "dev", exitCode: 2 }));
    writeFileSync(join(folder, "dev.md"), "the report of dev");
    // More than one page of them, one that somebody has copied, and one of another robot.
    for (let id = 1; id <= 120; id += 1) comments.push({ id, body: "text", user: { type: "User" } });
    comments.push({ id: 121, body: `${MARKER}\ncopied`, user: { type: "User" } });
    comments.push({ id: 122, body: "coverage", user: { type: "Bot" } });
  });

  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("writes none for a change that touches no stack", async () => {
    assert.equal(await github().putComment(7, MARKER, "text", { create: false }), "not needed");
    assert.equal(comments.length, 122);
  });

  it("writes one, and the next run writes it anew in its place", async () => {
    assert.equal(await github().putComment(7, MARKER, `${MARKER}\nfirst`, { create: true }), "created");
    assert.equal(comments.length, 123);
    const { exitCode, stderr } = await run(
      "--stacks",
      '["dev"]',
      "--stacks",
      '["gone"]',
      "--pending",
      '["prod"]',
    );
    assert.equal(exitCode, 0, stderr);
    assert.equal(comments.length, 123);
    const text = comments[122]?.body ?? "";
    assert.match(text, /the report of dev/);
    assert.match(text, /\| gone \| \*\*failed\*\*/);
    assert.match(text, /\| prod \| waits for an approval \|/);
    assert.equal(comments[120]?.body, `${MARKER}\ncopied`);
    assert.deepEqual([...authorizations], ["Bearer token-of-the-job"]);
  });

  it("takes back what it said when the change touches no stack any more", async () => {
    const body = commentBody({ ...content, previews: [] });
    assert.equal(await github().putComment(7, MARKER, body, { create: false }), "updated");
    assert.match(comments[122]?.body ?? "", /No stack is touched/);
  });

  it("fails with GitHub's answer, and without the token, when it may not write", async () => {
    refuse = true;
    await assert.rejects(github().putComment(7, MARKER, "text", { create: true }), (error) => {
      const text = describeFailure(error);
      assert.match(text, /answers 403[^]*not accessible by integration[^]*permissions/);
      assert.doesNotMatch(text, /token-of-the-job/);
      return true;
    });
  });
});
