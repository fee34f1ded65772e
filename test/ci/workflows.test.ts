import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { tools } from "../../settings/versions";
import { PROJECT_ROOT } from "../program/stack";

const permissionsSchema = z.record(z.string(), z.enum(["read", "write", "none"]));
const stepSchema = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
  env: z.record(z.string(), z.unknown()).default({}),
});
const jobSchema = z.looseObject({
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  if: z.string().optional(),
  environment: z.string().optional(),
  permissions: permissionsSchema.optional(),
  concurrency: z.looseObject({ "cancel-in-progress": z.unknown() }).optional(),
  "timeout-minutes": z.number(),
  "runs-on": z.string(),
  steps: z.array(stepSchema),
});
const workflowSchema = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions: permissionsSchema,
  jobs: z.record(z.string(), jobSchema),
});
const actionSchema = z.object({ runs: z.looseObject({ steps: z.array(stepSchema) }) });
type Job = z.output<typeof jobSchema>;

const folder = join(PROJECT_ROOT, ".github/workflows");
const textOf = (file: string) => readFileSync(join(PROJECT_ROOT, file), "utf8");
const workflows = readdirSync(folder).map((file) => ({
  file: `.github/workflows/${file}`,
  workflow: workflowSchema.parse(parse(textOf(`.github/workflows/${file}`))),
}));
const action = ".github/actions/stack/action.yml";
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${file}: ${name}`, file, workflow, job })),
);
const steps = [
  ...jobs.flatMap(({ name, job }) => job.steps.map((step) => ({ name, step }))),
  ...actionSchema.parse(parse(textOf(action))).runs.steps.map((step) => ({ name: action, step })),
];
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(textOf("package.json")));
const commandsOf = (job: Job) => job.steps.flatMap(({ run }) => run ?? []);
const jobOf = (file: string, name: string): Job => {
  const job = workflows.find((workflow) => workflow.file.endsWith(`/${file}`))?.workflow.jobs[name];
  assert.ok(job, `${file}: ${name}`);
  return job;
};

describe("workflows of GitHub Actions", () => {
  it("are there", () => {
    assert.deepEqual(
      workflows.map(({ file }) => file.split("/").at(-1)),
      ["acceptance.yml", "ci.yml", "deploy.yml", "drift.yml", "preview.yml"],
    );
  });

  it("pin each action by a commit, with its version beside it", () => {
    const files = [...workflows.map(({ file }) => file), action];
    const uses = files.flatMap((file) => textOf(file).match(/\buses: .*/g) ?? []);
    assert.ok(uses.length > 20);
    const pins = new Map<string, string>();
    for (const use of uses) {
      if (use === "uses: ./.github/actions/stack") continue;
      const [, name = "", pin = ""] =
        /^uses: ([\w-]+\/[\w-]+)(@[0-9a-f]{40} # v\d+\.\d+(?:\.\d+)?)$/.exec(use) ?? assert.fail(use);
      assert.equal(pins.get(name) ?? pin, pin, `${name} is pinned to two commits`);
      pins.set(name, pin);
    }
  });

  it("state the permissions of each job, and write only what the job is for", () => {
    const writes = jobs.flatMap(({ name, workflow, job }) =>
      Object.entries(job.permissions ?? workflow.permissions)
        .filter(([, level]) => level === "write")
        .map(([scope]) => `${name.replace(".github/workflows/", "")} ${scope}`),
    );
    assert.deepEqual(writes.sort(), [
      "deploy.yml: dev id-token",
      "deploy.yml: dev packages",
      "deploy.yml: prod id-token",
      "deploy.yml: promotion contents",
      "deploy.yml: promotion id-token",
      "deploy.yml: promotion pull-requests",
      "drift.yml: drift id-token",
      "preview.yml: comment pull-requests",
      "preview.yml: comment-guarded pull-requests",
      "preview.yml: preview id-token",
      "preview.yml: preview-guarded id-token",
    ]);
  });

  it("run no code of a fork with rights of the repository", () => {
    for (const { file, workflow } of workflows) {
      for (const trigger of ["pull_request_target", "workflow_run", "issue_comment"]) {
        assert.ok(!(trigger in workflow.on), `${file}: ${trigger}`);
      }
    }
    const reachable = jobs.filter(({ workflow, job }) => {
      const chain = (name: string): string[] => {
        const { if: condition = "", needs = [] } = workflow.jobs[name] ?? {};
        return [condition, ...[needs].flat().flatMap(chain)];
      };
      const conditions = [job.if ?? "", ...[job.needs ?? []].flat().flatMap(chain)];
      const own = "github.event.pull_request.head.repo.full_name == github.repository";
      return "pull_request" in workflow.on && !conditions.some((condition) => condition.includes(own));
    });
    assert.deepEqual(
      reachable.map(({ name }) => name.replace(/.*\//, "")),
      ["ci.yml: test", "ci.yml: workflows", "ci.yml: supply-chain", "preview.yml: changed"],
    );
    for (const { name, workflow, job } of reachable) {
      assert.doesNotMatch(JSON.stringify(job), /secrets\.|github\.token/, name);
      assert.deepEqual(job.permissions ?? workflow.permissions, { contents: "read" }, name);
      assert.equal(job.environment, undefined, name);
    }
  });

  it("let no job both run a pull request's code and write to it", () => {
    for (const { name, file, job } of jobs) {
      if (!file.endsWith("/preview.yml") || job.permissions?.["pull-requests"] !== "write") continue;
      const [checkout] = job.steps;
      assert.equal(checkout?.with["ref"], "${{ github.event.pull_request.base.sha }}", name);
      assert.doesNotMatch(JSON.stringify(job), /secrets\./, name);
      assert.equal(job.permissions["id-token"], undefined, name);
    }
  });

  it("keep no credentials in the clone, and put no text of others into a shell", () => {
    for (const { name, step } of steps) {
      if (step.uses?.startsWith("actions/checkout@") === true) {
        assert.equal(step.with["persist-credentials"], false, name);
      }
      assert.doesNotMatch(step.run ?? "", /\$\{\{/, name);
    }
  });

  it("have one npm command in each step: what it does runs and is tested elsewhere, too", () => {
    const elsewhere = ["preview", "rollback", "promote", "drift"];
    for (const { name, step } of steps) {
      if (step.run === undefined || step.run === "node common/bootstrap.mjs dependencies") continue;
      const [, script = ""] =
        /^npm (?:run (?:--silent )?)?([\w:-]+)(?: -- [\w" $.:/-]+)?$/.exec(step.run) ?? assert.fail(step.run);
      assert.ok(script in scripts || elsewhere.includes(script), `${name}: npm run ${script} is not there`);
    }
  });

  it("use no key of a cloud, but the identity of the job", () => {
    for (const file of [...workflows.map(({ file }) => file), action]) {
      assert.doesNotMatch(
        textOf(file),
        /access-key|credentials_json|creds:|AWS_SECRET|ARM_CLIENT_SECRET/i,
        file,
      );
    }
  });

  it("deploy one after the other, dev before prod, and never break off", () => {
    for (const name of ["dev", "promotion", "prod"]) {
      assert.equal(jobOf("deploy.yml", name).concurrency?.["cancel-in-progress"], false, name);
    }
    const prod = jobOf("deploy.yml", "prod");
    assert.equal(prod.environment, "prod");
    assert.deepEqual(prod.needs, ["dev", "promotion"]);
    assert.equal(prod.if, "needs.promotion.outputs.promoted == 'true'");
    const deploy = prod.steps.find(({ run }) => run?.includes("ci:deploy") === true);
    assert.ok(deploy);
    assert.equal(deploy.env["IMAGE"], "${{ needs.dev.outputs.image }}");
    assert.match(deploy.run ?? "", /--image "\$IMAGE"/);
  });

  it("propose for prod only an image whose bill was checked as that of a release", () => {
    const commands = commandsOf(jobOf("deploy.yml", "dev"));
    const [bill, gate] = ["sbom -- --image", "vulnerabilities -- --sbom out/sbom.json --release"].map(
      (text) => commands.findIndex((command) => command.includes(text)),
    );
    assert.ok(bill !== undefined && gate !== undefined && bill > 0 && gate > bill);
    assert.equal(jobOf("deploy.yml", "promotion").needs, "dev");
  });

  it("write only what Git ignores: a deployment is recorded as one of a clean checkout", () => {
    const ignored = textOf(".gitignore").split("\n");
    const written = steps.flatMap(
      ({ step }) => /(?:--reports|--output) (\w+)/.exec(step.run ?? "")?.[1] ?? [],
    );
    assert.deepEqual([...new Set(written)].sort(), ["out", "reports"]);
    for (const folder of written) assert.ok(ignored.includes(`${folder}/`), folder);
  });

  it("leave a clean checkout where Google's login puts its file into it", () => {
    const { status } = spawnSync("git", ["check-ignore", "--quiet", "gha-creds-0123456789abcdef.json"], {
      cwd: PROJECT_ROOT,
    });
    assert.equal(status, 0);
  });

  it("log in to the registry by the way that a variable names, and out again whatever happens", () => {
    const logins = jobs.filter(({ job }) => commandsOf(job).some((run) => run.endsWith("ci:registry")));
    assert.deepEqual(
      logins.map(({ name }) => name.replace(/.*\//, "")),
      ["deploy.yml: dev", "deploy.yml: prod"],
    );
    for (const { name, job } of logins) {
      const login = job.steps.find(({ run }) => run?.endsWith("ci:registry"));
      assert.equal(login?.env["REGISTRY_LOGIN"], "${{ vars.REGISTRY_LOGIN }}", name);
      // The job's own token is for its own registry: the command decides.
      assert.equal(login.env["REGISTRY_PASSWORD"], "${{ secrets.REGISTRY_PASSWORD }}", name);
      const last = job.steps.at(-1);
      assert.equal(last?.run, "npm run --silent ci:registry -- --logout", name);
      assert.equal(last["if"], "always()", name);
    }
  });

  it("install the programs that a kubeconfig of a cloud runs, before it is written", () => {
    const { steps: own } = actionSchema.parse(parse(textOf(action))).runs;
    const at = (found: (step: (typeof own)[number]) => boolean) => own.findIndex(found);
    const kubeconfig = at(({ run }) => run?.endsWith("ci:kubeconfig") === true);
    for (const program of ["gke-gcloud-auth-plugin", "kubelogin"]) {
      const step = at((candidate) => candidate["if"] === `contains(inputs.kubeconfig, '${program}')`);
      assert.ok(step >= 0 && step < kubeconfig, program);
    }
  });

  it("compare the charts with their checksums before they are installed", () => {
    const installing = jobs.filter(({ job }) => commandsOf(job).some((run) => /ci:deploy|run up /.test(run)));
    assert.equal(installing.length, 3);
    for (const { name, job } of installing) {
      const commands = commandsOf(job);
      const checked = commands.findIndex((run) => run.includes("ci:charts"));
      const installed = commands.findIndex((run) => /ci:preview|ci:deploy|run up /.test(run));
      assert.ok(checked >= 0 && checked < installed, name);
    }
  });

  it("go back by themselves when the smoke workflow fails, and then only", () => {
    for (const stack of ["dev", "prod"]) {
      const job = jobOf("deploy.yml", stack);
      const commands = commandsOf(job);
      const back = job.steps.find(({ run }) => run?.startsWith("npm run rollback") === true);
      assert.equal(back?.run, `npm run rollback -- -s ${stack} --worker-only --yes`);
      assert.equal(back["if"], "failure() && steps.smoke.outcome == 'failure'");
      const order = ["ci:deploy", "smoke", "rollback"].map((word) =>
        commands.findIndex((command) => command.includes(word)),
      );
      assert.deepEqual(
        order,
        [...order].sort((one, other) => one - other),
      );
      assert.ok(!order.includes(-1));
    }
  });

  it("run the Pulumi CLI that the project pins: its npm package starts no other version", () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(textOf("node_modules/pulumi/package.json")));
    assert.equal(version, tools.pulumi);
  });

  it("have a limit of time, and a runner that does not change by itself", () => {
    for (const { name, job } of jobs) {
      assert.ok(job["timeout-minutes"] <= 90, name);
      assert.equal(job["runs-on"], "ubuntu-24.04", name);
    }
  });

  it("name stacks that have a file", () => {
    const all = workflows.map(({ file }) => textOf(file)).join("\n");
    const stacks = new Set(
      [...all.matchAll(/(?:-s |--from |--to |--guarded )([a-z]+)/g)].map(([, name]) => name),
    );
    assert.deepEqual([...stacks].sort(), ["dev", "prod"]);
    for (const stack of stacks) assert.ok(existsSync(join(PROJECT_ROOT, `Pulumi.${stack ?? ""}.yaml`)));
  });
});
