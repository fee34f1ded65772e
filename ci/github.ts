import { z } from "zod";
import { Failure } from "../common/failure";

const TIMEOUT_MS = 30_000;
const PAGE_SIZE = 100;
/** Pages of comments that are looked through. */
const MOST_PAGES = 50;

const commentSchema = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ type: z.string() }).nullish(),
});
const pullRequestSchema = z.object({ number: z.number(), html_url: z.string() });
/** A pull request by number and page. */
export type PullRequest = z.infer<typeof pullRequestSchema>;

/** The part of GitHub's API that the pipelines use, on one repository. */
export class GitHub {
  /**
   * @param api address of the API, without a slash at its end
   * @param repository owner/name
   * @param token sent as a bearer token and nowhere else
   */
  constructor(
    private readonly api: string,
    private readonly repository: string,
    private readonly token: string,
  ) {}

  /**
   * As the environment of a run says.
   *
   * @throws Failure naming every variable that is missing
   */
  static fromEnvironment(env: NodeJS.ProcessEnv = process.env): GitHub {
    const missing = ["GITHUB_REPOSITORY", "GITHUB_TOKEN"].filter((name) => (env[name] ?? "") === "");
    if (missing.length > 0) {
      throw new Failure(
        `not set: ${missing.join(", ")}`,
        "run this in a workflow, and give the step `env: GITHUB_TOKEN: ${{ github.token }}`",
      );
    }
    return new GitHub(
      env["GITHUB_API_URL"] ?? "https://api.github.com",
      env["GITHUB_REPOSITORY"] ?? "",
      env["GITHUB_TOKEN"] ?? "",
    );
  }

  /**
   * Writes a comment of a pull request in place of the one that an earlier run wrote, if there is one.
   *
   * @param marker how the comment of an earlier run starts; what people wrote is never touched
   * @param options.create whether it is written if there is none
   */
  async putComment(
    pullRequest: number,
    marker: string,
    body: string,
    { create }: { readonly create: boolean },
  ): Promise<"created" | "updated" | "not needed"> {
    const earlier = await this.findComment(pullRequest, marker);
    if (earlier === undefined) {
      if (!create) return "not needed";
      await this.request("POST", `issues/${pullRequest}/comments`, { body });
      return "created";
    }
    await this.request("PATCH", `issues/comments/${earlier}`, { body });
    return "updated";
  }

  /** Opens a pull request from a branch, or writes the one that is open from it. */
  async putPullRequest(
    branch: string,
    base: string,
    content: { readonly title: string; readonly body: string },
  ): Promise<PullRequest> {
    const owner = this.repository.split("/")[0] ?? "";
    const query = new URLSearchParams({ state: "open", head: `${owner}:${branch}`, base });
    const [open] = z.array(pullRequestSchema).parse(await this.request("GET", `pulls?${query.toString()}`));
    const answer =
      open === undefined
        ? await this.request("POST", "pulls", { ...content, head: branch, base })
        : await this.request("PATCH", `pulls/${open.number}`, content);
    return pullRequestSchema.parse(answer);
  }

  private async findComment(pullRequest: number, marker: string): Promise<number | undefined> {
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const comments = z
        .array(commentSchema)
        .parse(
          await this.request("GET", `issues/${pullRequest}/comments?per_page=${PAGE_SIZE}&page=${page}`),
        );
      const found = comments.find(
        ({ body, user }) => user?.type === "Bot" && body?.startsWith(marker) === true,
      );
      if (found !== undefined) return found.id;
      if (comments.length < PAGE_SIZE) return undefined;
    }
    return undefined;
  }

  private async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const url = `${this.api}/repos/${this.repository}/${path}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: {
          accept: "application/vnd.github+json",
          authorization: `Bearer ${this.token}`,
          "x-github-api-version": "2022-11-28",
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new Failure(`GitHub does not answer: ${method} ${url}: ${String(error)}`, "run the job again");
    }
    if (response.ok) return response.json();
    throw new Failure(
      `GitHub answers ${response.status} to ${method} ${url}`,
      "a 403 or 404 means that the job's `permissions` do not allow it; anything else: run the job again",
      [(await response.text()).slice(0, 500)],
    );
  }
}
