import assert from "node:assert/strict";
import { pulumi } from "../support";
import { eventually } from "../../support/eventually";
import { changeNamespace, temporalCli } from "./support";

const namespace = ["--namespace", "prod"];
const describeNamespace = (): Promise<string> =>
  temporalCli("operator", "namespace", "describe", ...namespace);

describe("Temporal namespaces", () => {
  it("have the retention and description of the stack file", async () => {
    const described = await describeNamespace();
    assert.match(described, /Orders of customers/);
    assert.match(described, /720h0m0s/);
  });

  it("get back a retention that somebody changed by hand", async () => {
    await temporalCli("operator", "namespace", "update", ...namespace, "--retention", "48h");
    assert.match(await describeNamespace(), /48h0m0s/);
    await eventually("the CronJob puts it back", async () =>
      (await describeNamespace()).includes("720h0m0s"),
    );
  });

  it("get a search attribute that is added, and cannot lose it", async () => {
    changeNamespace({ searchAttributes: { CustomerTier: "Keyword" } });
    const added = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(added.exitCode, 0, added.output);
    assert.match(
      await temporalCli("operator", "search-attribute", "list", ...namespace),
      /CustomerTier\s+Keyword/,
    );
    changeNamespace({ searchAttributes: {} });
    const removed = await pulumi("preview");
    assert.notEqual(removed.exitCode, 0);
    assert.match(removed.output, /searchAttributes\.CustomerTier: deployed is Keyword, found nothing/);
    changeNamespace({ searchAttributes: { CustomerTier: "Keyword" } });
  });
});
