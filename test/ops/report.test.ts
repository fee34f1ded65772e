import assert from "node:assert/strict";
import { ownershipProblem } from "../../components/guards/namespaceOwnership";
import { existingObjectProblem } from "../../components/guards/existingObjectsGuard";
import { monitoringProblem } from "../../components/guards/monitoringGuard";
import { storageClassProblems } from "../../components/guards/storageClass";
import { clientObjectProblem } from "../../components/guards/clientObjectsGuard";
import { takeoverProblem } from "../../components/guards/payloadKeysGuard";
import { isRefusal, refusal } from "../../components/guards/sentence";
import { configChanges } from "../../ops/report/configChanges";
import { MAX_BYTES, renderFailure, renderMarkdown } from "../../ops/report/markdown";
import { propertyChanges } from "../../ops/report/propertyChanges";
import type { Report } from "../../ops/report/changeReport";
import { renderTerminal } from "../../ops/report/terminal";
import { eventsOf, recordedRendering, renderings, reportOfEvents } from "./previews/examples";
import { scenarios } from "./previews/scenarios";

const SECRET_MARK = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "x",
};
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A step as the engine tells it. */
function stepLine(
  op: string,
  name: string,
  sides: { old?: object; new?: object },
  type = "kubernetes:core/v1:ConfigMap",
) {
  const side = (inputs: object | undefined) => (inputs === undefined ? null : { custom: true, inputs });
  const metadata = { op, urn: `urn:pulumi:prod::temporal-stack::${type}::${name}`, type, detailedDiff: null };
  return JSON.stringify({
    resourcePreEvent: { metadata: { ...metadata, old: side(sides.old), new: side(sides.new) } },
  });
}
const END = JSON.stringify({ summaryEvent: { PolicyPacks: {} } });

describe("preview report", () => {
  describe("of previews that were recorded", () => {
    for (const name of Object.keys(scenarios)) {
      it(`says the same as when ${name} was recorded`, () => {
        const report = reportOfEvents(eventsOf(name));
        for (const [end, render] of Object.entries(renderings)) {
          assert.equal(render(report), recordedRendering(name, end), `${name}.${end}`);
        }
      });
    }

    const verdicts: Readonly<Record<string, Report["verdict"]>> = {
      unchanged: "unchanged",
      scaled: "changed",
      refused: "refused",
      wrongSetting: "failed",
      newVersions: "changed",
      renamedWorkers: "changed",
      lostDatabase: "changed",
      protectedNamespace: "refused",
      policies: "refused",
    };
    it("decides", () => {
      const found = Object.keys(scenarios).map((name) => [name, reportOfEvents(eventsOf(name)).verdict]);
      assert.deepEqual(Object.fromEntries(found), verdicts);
    });

    it("marks what holds data before what interrupts workflows", () => {
      const impacts = (name: string) =>
        reportOfEvents(eventsOf(name)).losses.map(
          ({ resource, impact }) => `${impact?.kind ?? "-"} ${resource.name}`,
        );
      assert.deepEqual(impacts("lostDatabase").sort(), [
        "data database-credentials-a-secret",
        "data database-credentials-b-secret",
        "data postgres-cluster",
        "data postgres-database-default",
        "data postgres-database-visibility",
      ]);
      assert.ok(impacts("renamedWorkers").includes("workflows worker-orders-deployment"));
      const kinds = impacts("protectedNamespace").map((text) => text.split(" ")[0]);
      assert.deepEqual(
        kinds,
        [...kinds].sort((one = "", other = "") => rank(one) - rank(other)),
      );
    });
    const rank = (kind: string) => ["data", "workflows", "-"].indexOf(kind);

    it("names versions and sizes, old and new", () => {
      const versions = reportOfEvents(eventsOf("newVersions")).versions.map((move) => move.what);
      assert.ok(versions.includes("Temporal server") && versions.includes("Postgres"), versions.join());
      assert.deepEqual(
        reportOfEvents(eventsOf("scaled")).scaling.map((move) => `${move.what} ${move.old} ${move.new}`),
        ["temporal-release: values.web.replicaCount 2 3", "worker-orders-autoscaler: spec.minReplicas 3 4"],
      );
    });
  });

  it("does not take a preview that broke off for one without changes", () => {
    const lines = [stepLine("same", "a", { old: {}, new: {} })];
    assert.equal(reportOfEvents(lines, { succeeded: true }).verdict, "failed");
    assert.equal(reportOfEvents(lines, { succeeded: false }).verdict, "failed");
    assert.equal(reportOfEvents([...lines, END], { succeeded: false }).verdict, "failed");
    assert.equal(reportOfEvents([...lines, END], { succeeded: true }).verdict, "unchanged");
  });

  it("ignores lines that are no events, and refuses the one document of an old CLI", () => {
    assert.equal(reportOfEvents(["npm warn something", "{broken", "{}", END]).verdict, "unchanged");
    assert.throws(() => reportOfEvents(["{"]), /does not tell a preview event by event/);
  });

  it("says how many values only the update will know", () => {
    const lines = [stepLine("create", "a", { new: { data: { one: UNKNOWN, two: UNKNOWN } } }), END];
    const report = reportOfEvents(lines);
    assert.match(renderTerminal(report, { diff: true }), /2 values that only the update will know/);
    assert.match(renderTerminal(report, { diff: true }), /data\.one: \(known after the update\)/);
  });

  describe("keeps secrets", () => {
    const changes = (before: object, after: object, diff = {}) =>
      JSON.stringify(propertyChanges({ ...before }, { ...after }, diff));

    it("that are marked, and tells by the engine's word that they change", () => {
      const inputs = { config: SECRET_MARK, other: SECRET_MARK };
      assert.equal(
        changes(inputs, inputs, { config: { diffKind: "update" } }),
        '[{"path":"config","old":"(secret)","new":"(secret)","replaces":false}]',
      );
      const inside = { "config.key": { diffKind: "update-replace" } };
      assert.match(changes(inputs, inputs, inside), /"path":"config".*"replaces":true/);
    });

    it("that nobody marked: data of Secrets, and what is named like a password", () => {
      const text = changes(
        { kind: "Secret", stringData: { key: "hunter1" }, data: { key: "aHVudGVyMQ==" } },
        {
          kind: "Secret",
          stringData: { key: "hunter2" },
          values: { dbPassword: "hunter3", apiKey: "hunter4", existingSecret: "a-name" },
          env: [{ name: "DB_PASSWORD", value: "hunter5" }],
        },
      );
      assert.doesNotMatch(text, /hunter|aHVud/);
      assert.match(text, /a-name/);
    });

    it("in settings, of which only the names are shown", () => {
      const before = {
        "p:token": { value: "one", secret: true },
        "p:same": { value: "kept", secret: true },
        "p:image": {
          value: "",
          objectValue: { repository: "r", pullSecret: { password: "old" } },
          secret: true,
        },
        "p:workers": { objectValue: [{ name: "orders", max: 3 }], secret: false },
      };
      const after = {
        "p:token": { value: "two", secret: true },
        "p:same": { value: "kept", secret: true },
        "p:image": {
          value: "",
          objectValue: { repository: "r", pullSecret: { password: "new" } },
          secret: true,
        },
        "p:workers": { objectValue: [{ name: "orders", max: 4 }], secret: false },
        "p:more": { value: "shown", objectValue: undefined, secret: false },
      };
      assert.deepEqual(configChanges(withObjects(before), withObjects(after)), [
        { key: "p:image.pullSecret.password", old: "(secret)", new: "(secret)" },
        { key: "p:more", old: undefined, new: "shown" },
        { key: "p:token", old: "(secret)", new: "(secret)" },
        { key: "p:workers[orders].max", old: "3", new: "4" },
      ]);
    });
    const withObjects = (
      config: Record<string, { value?: string; objectValue?: unknown; secret: boolean }>,
    ) =>
      Object.fromEntries(
        Object.entries(config).map(([key, entry]) => [key, { objectValue: undefined, ...entry }]),
      );
  });

  it("shows long texts line by line, and cuts what nobody reads", () => {
    const text = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
    const [change] = propertyChanges({ file: text }, { file: text.replace("line 20", "other") });
    assert.deepEqual(change?.lines, [" line 19", "-line 20", "+other", " line 21"]);
    const [cut] = propertyChanges({}, { value: "x".repeat(5000) });
    assert.match(cut?.new ?? "", /^x{2000}… \(3000 more characters\)$/);
  });

  describe("withstands hostile names", () => {
    const hostile = [
      "</details><script>alert(1)</script>",
      "@everyone please merge",
      "`` ` ``` `` @admin",
      "[click](https://evil.example.com) ![x](https://evil.example.com/x.png)",
      "a\n# Heading\n- item\n```\n@team\n",
      "| a | b |",
      "<!-- hidden",
      "\u202edesrever\u001b[2J\u0007",
      "~~~\n</details>\n~~~",
      "",
    ];
    const lines = [
      ...hostile.map((text, index) =>
        stepLine(
          "delete",
          text,
          { old: { metadata: { name: text, namespace: text }, data: { [text]: text } } },
          ["kubernetes:core/v1:Secret", "kubernetes:core/v1:ConfigMap"][index % 2],
        ),
      ),
      ...hostile.map((text) => stepLine("create", `new ${text}`, { new: { data: { [text]: text } } })),
      ...hostile.map((text) => JSON.stringify({ diagnosticEvent: { message: text, severity: "error" } })),
      ...hostile.map((message) =>
        JSON.stringify({
          policyEvent: { message, policyName: message, policyPackName: "p", enforcementLevel: "advisory" },
        }),
      ),
      END,
    ];

    it("in Markdown: all of it is code", () => {
      const text = outsideCode(renderMarkdown(reportOfEvents(lines)));
      assert.doesNotMatch(text, /@|<script|evil|Heading|hidden|desrever|\| a/);
      assert.equal(text.match(/<details>/g)?.length, 1);
      assert.equal(text.match(/<\/details>/g)?.length, 1);
      assert.doesNotMatch(outsideCode(renderFailure("prod", hostile.join("\n"))), /@|<script|evil/);
    });

    it("on a terminal: nothing moves the cursor or turns the text", () => {
      const text = renderTerminal(reportOfEvents(lines), { diff: true });

      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    });
  });

  it("fits into a comment, and says what it leaves out", () => {
    const values = Object.fromEntries(
      Array.from({ length: 200 }, (_, key) => [`key${key}`, "ü`".repeat(60)]),
    );
    const many = Array.from({ length: 500 }, (_, index) =>
      stepLine("delete", `gone-${index}`, { old: values }),
    );
    const added = Array.from({ length: 20 }, (_, index) =>
      stepLine("create", `new-${index}`, { new: values }),
    );
    const errors = Array.from({ length: 300 }, (_, index) =>
      JSON.stringify({
        diagnosticEvent: { message: `error ${index}\n${"x".repeat(900)}`, severity: "error" },
      }),
    );
    const text = renderMarkdown(reportOfEvents([...many, ...added, ...errors, END]));
    assert.ok(Buffer.byteLength(text) <= MAX_BYTES, String(Buffer.byteLength(text)));
    assert.match(text, /- … \d+ more that this comment has no room for/);
    assert.match(text, /… \d+ more lines that this comment has no room for/);
    assert.match(text, /<\/details>\n$/);
    assert.doesNotMatch(outsideCode(text), /ü/);
  });

  it("takes a preview of 50 MB without keeping it", () => {
    const data = Object.fromEntries(Array.from({ length: 250 }, (_, key) => [`key-${key}`, "v".repeat(200)]));
    const line = stepLine("update", "NAME", {
      old: { data },
      new: { data: { ...data, "key-7": "changed" } },
    });
    function* huge() {
      for (let index = 0; index < 500; index++) yield line.replace("NAME", `config-${index}`);
      yield END;
    }
    assert.ok(line.length * 500 > 50_000_000, String(line.length * 500));
    const before = process.memoryUsage().heapUsed;
    const report = reportOfEvents(huge());
    assert.equal(report.counts.update, 500);
    assert.ok(JSON.stringify(report).length < 500_000);
    assert.ok(process.memoryUsage().heapUsed - before < 300_000_000);
  });

  it("knows every refusal of a guard, and takes no other error for one", () => {
    const foreign = ownershipProblem(
      { namespaces: { temporal: "temporal", workers: "workers", adopt: [] }, stack: "prod" },
      "temporal",
      { found: "namespace", labels: {} },
      undefined,
    );
    const [noClass = ""] = storageClassProblems(
      { "postgres.storage": { storageClass: "fast" } },
      { found: "classes", names: [], hasDefault: false },
    );
    const noOperator = monitoringProblem("monitoring.coreos.com", ["podmonitors"], { found: "none" });
    const needed = {
      setting: "workers[order-mail].secrets[1]",
      kind: "Secret",
      name: "stripe",
      key: "api-key",
    } as const;
    const missing = [{ found: "none" } as const, { found: "object", keys: [] } as const].map((lookup) =>
      existingObjectProblem(needed, "workers", lookup),
    );
    const account = existingObjectProblem(
      { setting: "workers[order-mail].serviceAccount.existing", kind: "ServiceAccount", name: "mail" },
      "workers",
      { found: "object", keys: [], stack: "dev" },
    );
    const shop = {
      setting: "clients[0]",
      key: "connection",
      kind: "ConfigMap",
      name: "temporal",
      namespace: "shop",
    } as const;
    const clients = [{ found: "no-namespace" } as const, { found: "object", labels: {} } as const].map(
      (lookup) => clientObjectProblem(shop, "prod", lookup),
    );
    const keys = takeoverProblem({ found: "secret", data: { "key-1": "AA==" } }, {});
    const bySentence = [foreign, noClass, noOperator, ...missing, account, ...clients, keys];
    for (const message of [refusal(["a"]), refusal(["a", "b"]), ...bySentence])
      assert.ok(isRefusal(message ?? ""), message);
    for (const message of ["1 problem in the settings of stack", "connection refused", "preview failed"]) {
      assert.ok(!isRefusal(message), message);
    }
  });
});

/** What GitHub takes for Markdown: spans and blocks of code are left out, as CommonMark finds them. */
function outsideCode(markdown: string): string {
  const outside: string[] = [];
  let open = "";
  for (const line of markdown.split("\n")) {
    const [, fence = ""] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (open !== "") {
      const closes = fence.startsWith(open) && line.trim() === fence;
      if (closes) open = "";
    } else if (fence !== "" && !line.trim().slice(fence.length).includes("`")) open = fence;
    else outside.push(line.replace(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, ""));
  }
  assert.equal(open, "", "a block of code is left open");
  return outside.join("\n");
}
